"""Credit risk: a real public table, synthetic people beside its rows, and a script that trains on it."""
