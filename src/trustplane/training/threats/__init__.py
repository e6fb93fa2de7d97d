"""Threat models: what an attacker may do to the rows of a table, in one file that people own."""
