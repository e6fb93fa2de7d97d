"""What the benchmarks of attacks and hardening share: the phishing table, its threat model, and the models that are attacked."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # CPU time is what is measured, and idle threads burn it

import lightgbm
import numpy as np
import xgboost
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from trustplane.examples.phishing.table import features, write_phishing_table, write_threat
from trustplane.training.threats.model import ThreatModel
from trustplane.training.threats.parsing import parse_threat


@dataclass(frozen=True)
class Phishing:
    names: tuple[str, ...]
    threat: ThreatModel
    train: np.ndarray
    train_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray

    def attacked(self, rows: int) -> np.ndarray:
        return self.test[self.test_labels == 1][:rows].astype(float)

    @property
    def background(self) -> np.ndarray:
        legitimate, phishing = (self.train[self.train_labels == label] for label in (0, 1))
        return np.concatenate([legitimate[:3000], phishing[:500]]).astype(float)


def phishing() -> Phishing:
    with tempfile.TemporaryDirectory() as folder:
        write_phishing_table(Path(folder) / "pages.csv")
        write_threat(Path(folder) / "threat.toml")
        table = np.loadtxt(Path(folder) / "pages.csv", delimiter=",", skiprows=1)
        threat = parse_threat((Path(folder) / "threat.toml").read_text())
    parts = train_test_split(
        table[:, :-1].astype(np.float32),
        table[:, -1].astype(int),
        test_size=0.25,
        random_state=0,
        stratify=table[:, -1],
    )
    return Phishing(features(), threat, parts[0], parts[2], parts[1], parts[3])


def models() -> dict[str, object]:
    network = MLPClassifier((64, 32), max_iter=60, early_stopping=True, random_state=0)
    return {
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
        "MLP": make_pipeline(StandardScaler(), network),
        "XGBoost": xgboost.XGBClassifier(n_estimators=200, max_depth=6, n_jobs=1, random_state=0),
        "LightGBM": lightgbm.LGBMClassifier(n_estimators=200, n_jobs=1, verbose=-1, random_state=0),
        "random forest": RandomForestClassifier(100, n_jobs=1, random_state=0),
        "HistGradientBoosting": HistGradientBoostingClassifier(random_state=0),
    }
