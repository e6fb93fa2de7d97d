"""What a recipe does to a column: coarser, noisier, masked, under another name, redacted, or gone."""
