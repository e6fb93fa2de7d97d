"""Formats in which a model is admitted: only those that hold no code."""
