"""The credit table holds the published rows unchanged, with people beside them."""

import csv
import hashlib
import lzma
from importlib.resources import files

import pytest

from trustplane.examples.credit.table import LABEL, PERSON_COLUMNS, ROWS, write_credit_table


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_packed_file_is_the_published_one():
    """30,000 rows of 24 columns; the digest is that of the file as it was published."""
    plain = lzma.decompress(files("trustplane.examples.credit").joinpath("credit_default.csv.xz").read_bytes())
    lines = plain.splitlines()
    assert (len(lines), lines[0].count(b",") + 1) == (ROWS + 1, 24)
    assert hashlib.sha256(plain).hexdigest() == "7cfc3bb35b6986be40cccb5d490806f082b46f93afafdce27fd7f409eb5abb02"


def test_the_licence_stands_beside_it():
    text = files("trustplane.examples.credit").joinpath("LICENSE.md").read_text("utf-8")
    assert "CC BY 4.0" in text
    assert "I-Cheng Yeh" in text


def test_the_real_columns_are_unchanged(tmp_path):
    write_credit_table(tmp_path / "t.csv", rows=500)
    plain = lzma.decompress(files("trustplane.examples.credit").joinpath("credit_default.csv.xz").read_bytes()).decode()
    published = list(csv.DictReader(plain.splitlines()[:501]))
    made = rows_of(tmp_path / "t.csv")
    assert list(made[0]) == ["customer_id", *PERSON_COLUMNS, *published[0]]
    assert [{name: row[name] for name in published[0]} for row in made] == published
    assert LABEL in made[0]


def test_the_sex_of_the_person_is_that_of_the_row(tmp_path):
    write_credit_table(tmp_path / "t.csv", rows=300)
    assert all(row["national_id"][1] == {"1": "1", "2": "2"}[row["SEX"]] for row in rows_of(tmp_path / "t.csv"))


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_credit_table(tmp_path / name, rows=200, seed=seed)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != (tmp_path / "c").read_bytes()


def test_fewer_rows_are_the_first_ones(tmp_path):
    write_credit_table(tmp_path / "few", rows=10)
    write_credit_table(tmp_path / "more", rows=20)
    assert (tmp_path / "more").read_bytes().startswith((tmp_path / "few").read_bytes())


def test_beyond_the_last_row_the_real_rows_repeat_with_new_people(tmp_path):
    write_credit_table(tmp_path / "t.csv", rows=ROWS + 2)
    made = rows_of(tmp_path / "t.csv")
    first, again = made[0], made[ROWS]
    assert len(made) == ROWS + 2
    assert len({row["customer_id"] for row in made}) == ROWS + 2
    assert [first[name] for name in ("LIMIT_BAL", "AGE", LABEL)] == [
        again[name] for name in ("LIMIT_BAL", "AGE", LABEL)
    ]
    assert first["email"] != again["email"]


@pytest.mark.parametrize("rows", [0, -1])
def test_a_table_without_rows_is_refused(tmp_path, rows):
    with pytest.raises(ValueError):
        write_credit_table(tmp_path / "t.csv", rows=rows)
