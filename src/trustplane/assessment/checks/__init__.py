"""Checks: each measures one property of a model on its hold-out, and judges it by declared rules."""
