"""``trustplane demo``: the whole lifecycle on a real table, told as a story, then four attempts to falsify it."""
