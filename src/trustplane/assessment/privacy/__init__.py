"""What a model tells of the rows that it learned from: who was in them, what they held, and how cheaply it is copied."""
