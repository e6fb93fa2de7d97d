"""The phishing table and its threat model fit together."""

import numpy as np
import pytest

from trustplane.examples.phishing.__main__ import main
from trustplane.examples.phishing.table import LABEL, OUTSIDE, ROWS, features, write_phishing_table
from trustplane.training.threats.contradictions import check_contradictions
from trustplane.training.threats.parsing import parse_threat
from trustplane.training.threats.validator import holding


def test_every_row_keeps_the_threat_model(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("sys.argv", ["phishing", str(tmp_path)])
    main()
    threat = parse_threat((tmp_path / "threat.toml").read_text())
    lines = (tmp_path / "pages.csv").read_text().splitlines()
    assert lines[0].split(",") == [*features(), LABEL]
    rows = np.loadtxt(lines[1:], delimiter=",")
    assert len(rows) == ROWS
    assert rows[:, -1].mean() == 0.5
    assert holding(threat, features(), rows[:, :-1]).valid.all()
    check_contradictions(threat)
    assert not set(OUTSIDE) & set(threat.mutable)
    assert set(threat.names) == set(features())
    assert not threat.draft


def test_each_relation_can_be_broken(tmp_path) -> None:
    """A relation that no row of the table breaks may still bind: each is broken by some mixture of two rows."""
    write_phishing_table(tmp_path / "pages.csv", 3000)
    rows = np.loadtxt(tmp_path / "pages.csv", delimiter=",", skiprows=1)[:, :-1]
    random = np.random.default_rng(0)
    mixed = np.where(random.random(rows.shape) < 0.5, rows, rows[random.permutation(len(rows))])
    place = {name: i for i, name in enumerate(features())}
    mixed[:, place["nb_slash"]] -= random.integers(0, 3, len(rows))
    mixed[:100, place["length_url"]] = 12
    mixed[:100, place["nb_www"]] = 3
    from trustplane.examples.phishing.table import write_threat

    write_threat(tmp_path / "threat.toml")
    threat = parse_threat((tmp_path / "threat.toml").read_text())
    broken = holding(threat, features(), mixed).counts()
    assert {f"relation {r.name}" for r in threat.relations} <= set(broken)


def test_fewer_rows_are_a_part_of_them_and_none_are_none(tmp_path) -> None:
    write_phishing_table(tmp_path / "some.csv", 10)
    assert len((tmp_path / "some.csv").read_text().splitlines()) == 11
    with pytest.raises(ValueError, match="rows"):
        write_phishing_table(tmp_path / "none.csv", 0)
