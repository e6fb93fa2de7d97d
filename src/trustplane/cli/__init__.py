"""The command line: one module per noun. It talks to the SDK alone."""
