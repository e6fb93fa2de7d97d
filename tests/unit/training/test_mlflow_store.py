"""MLflow's file store, as the documented layout and as MLflow itself writes it."""

import os
import subprocess
import sys
from pathlib import Path

from trustplane.training.mlflow_store import read_store
from trustplane.training.sandboxes.outputs import output_files

MLFLOW = """
import mlflow
mlflow.set_tracking_uri("mlruns")
with mlflow.start_run():
    mlflow.log_param("depth", 3)
    for step in range(3):
        mlflow.log_metric("train/loss", 1 / (step + 1), step=step)
"""


def store(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / "mlruns" / "0" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def read(folder: Path):
    return read_store(folder, output_files(folder))


def test_the_layout_is_read(tmp_path) -> None:
    found = read(
        store(
            tmp_path,
            {
                "r1/meta.yaml": "run_id: r1",
                "r1/params/depth": "3",
                "r1/metrics/train/loss": "1700000000000 0.5 0\n1700000001000 0.25 1\n",
                "r1/metrics/odd": "1700000000000 nan 0\nnot a line\n1 2\n",
                "r1/tags/mlflow.user": "somebody",
            },
        )
    )
    assert found.series["train/loss"] == [(0, 0.5, 1700000000.0), (1, 0.25, 1700000001.0)]
    assert [v for _, v, _ in found.series["odd"]] == [None, 2.0]
    assert found.parameters == {"depth": "3"}
    assert found.dropped == 1
    assert "somebody" not in str(found), "tags name people and machines"


def test_runs_of_a_search_are_told_apart(tmp_path) -> None:
    found = read(store(tmp_path, {"a/metrics/auc": "0 0.5 0\n", "b/metrics/auc": "0 0.75 0\n"}))
    assert found.last() == {"auc": 0.5, "1/auc": 0.75}


def test_what_mlflow_itself_writes_is_read(tmp_path) -> None:
    environment = {
        **os.environ,
        "MLFLOW_ALLOW_FILE_STORE": "true",
        "GIT_PYTHON_REFRESH": "quiet",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    done = subprocess.run(
        [sys.executable, "-c", MLFLOW], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = read(tmp_path)
    assert [(s, round(v, 3)) for s, v, _ in found.series["train/loss"]] == [(0, 1.0), (1, 0.5), (2, 0.333)]
    assert found.parameters == {"depth": "3"}
