"""A small table with relations, a threat model of it, and models that learned it."""

from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from trustplane.training.threats.model import ThreatModel
from trustplane.training.threats.parsing import parse_threat

TEXT = """
name = "accounts"
attacker = { knowledge = "white-box" }
budget = { norm = "l2", distance = 0.5 }
groups = { channel = ["web", "shop"] }
derived = { total = "got + out" }
relations = [
  { name = "no more comes out than goes in", holds = "out <= got" },
  { name = "links need pages", holds = "links > 0 implies pages > 0" },
  { name = "not both", holds = "pages * links <= 60" },
]
[features]
got = { low = 0, high = 100 }
out = { low = 0, high = 100 }
total = { mutable = false, low = 0, high = 200, scale = 1e6 }
pages = { type = "integer", low = 0, high = 10 }
links = { type = "integer", low = 0, high = 10, direction = "up" }
web = { scale = 4 }
shop = { scale = 4 }
age = { mutable = false }
"""


@dataclass(frozen=True)
class Known:
    names: tuple[str, ...]
    threat: ThreatModel
    rows: np.ndarray
    labels: np.ndarray

    def of(self, label: int, most: int = 10_000) -> np.ndarray:
        return self.rows[self.labels == label][:most]


def drawn(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    got = random.uniform(0, 100, count)
    out = got * random.random(count)
    pages = random.integers(1, 8, count)
    links = random.integers(0, 8, count) * (pages < 8)
    web = random.integers(0, 2, count)
    age = random.integers(20, 80, count)
    rows = np.column_stack([got, out, got + out, pages, links, web, 1 - web, age]).astype(np.float32).astype(float)
    odds = (got - out - 35) / 10 + (pages - links) / 3 + (web - 0.5)
    return rows, (random.random(count) < 1 / (1 + np.exp(-odds))).astype(int)


@pytest.fixture(scope="session")
def known() -> Known:
    rows, labels = drawn(900, 3)
    threat = parse_threat(TEXT)
    return Known(threat.names, threat, rows, labels)


@pytest.fixture(scope="session")
def linear(known):
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(known.rows, known.labels)


@pytest.fixture(scope="session")
def boosted(known):
    return GradientBoostingClassifier(n_estimators=25, max_depth=3, random_state=0).fit(known.rows, known.labels)
