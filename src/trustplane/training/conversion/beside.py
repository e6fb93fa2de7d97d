"""What a source run leaves beside its model, and its conversion beside the converted one."""

CARRIED = ("features.json", "holdout.parquet", "training.parquet", "threat.toml", "reasons.toml")
BESIDE = "source-run"
"""The folder below that of the views that holds it."""
