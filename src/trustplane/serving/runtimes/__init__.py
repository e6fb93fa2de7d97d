"""Runtimes: what runs an admitted model."""
