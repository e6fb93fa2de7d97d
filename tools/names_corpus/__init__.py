"""Texts with known spans, made from templates and lists of names, places and companies, to train and judge the model of names."""
