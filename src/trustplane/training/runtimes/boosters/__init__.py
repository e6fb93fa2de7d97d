"""Boosted trees as files: the native formats of XGBoost, LightGBM and CatBoost, read strictly and without the libraries."""
