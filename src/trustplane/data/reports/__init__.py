"""Reports of the data stage that stand alone, and the plots that any report may use."""
