"""Scanning: what a file is and what speaks against it, judged by content and without loading it."""
