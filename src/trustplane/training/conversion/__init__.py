"""Conversion of a model that is a pickle into a format that holds no code, inside the sandbox. Nothing of it runs outside."""
