"""Sandboxes: where a run's script is executed. One file per plug-in."""
