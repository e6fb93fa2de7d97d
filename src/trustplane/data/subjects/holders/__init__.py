"""What is made of data in later stages, and still may hold something of a person."""
