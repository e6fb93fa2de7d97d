"""Under which key: the key hierarchy, encrypted blobs and tables, and the destruction of keys."""
