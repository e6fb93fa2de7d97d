"""Pickles: run by the interpreter's own unpickler, with nothing behind any name."""
