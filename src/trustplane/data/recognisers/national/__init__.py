"""Numbers that states give to people, one module per region."""
