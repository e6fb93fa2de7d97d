"""What happened: events, the Merkle tree over them, checkpoints, proofs, and verification without us."""
