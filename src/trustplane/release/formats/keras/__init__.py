"""Keras: the archives of version 3, and the HDF5 files of before."""
