"""What runs notebooks and functions inside the sandbox."""
