"""The folder that scripts in a sandbox find first on their path."""
