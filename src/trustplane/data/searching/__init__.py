"""The search of running text, all texts of a batch at once: places where something can stand, found with tables."""
