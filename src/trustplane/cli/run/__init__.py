"""``trustplane run``: the command, what it asks for, and how a run is shown."""
