"""Recognisers of personal data in columns. One file per plug-in."""
