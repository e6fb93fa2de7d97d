"""Attacks on models of tables that keep to a threat model."""
