"""skops files: read strictly, checked by their content, and run."""
