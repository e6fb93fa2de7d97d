"""A look at the rows of every new version for signs of poisoning: repeated rows, blocks out of domain, shifts, flipped labels."""
