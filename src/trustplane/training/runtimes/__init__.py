"""Runtimes: what runs an admitted model, wherever it is attacked, assessed or served."""
