"""Example data and scripts, for the demo, the documentation and the tests."""
