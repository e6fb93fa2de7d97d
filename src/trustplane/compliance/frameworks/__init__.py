"""Frameworks: which clauses each control answers to."""
