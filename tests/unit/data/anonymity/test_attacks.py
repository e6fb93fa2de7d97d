"""The attacks, on tables of which it is known what an attacker can learn."""

import numpy as np
import pyarrow as pa
import pytest

from trustplane.data.anonymity.anonymise import anonymise
from trustplane.data.anonymity.attacks import as_it_is, attack, by_levels, by_ranges
from trustplane.data.anonymity.hierarchies import encode
from trustplane.data.anonymity.recipes import read_recipe


def encoded(**columns):
    return [encode(name, pa.array(values)) for name, values in columns.items()]


def test_everybody_is_found_in_a_table_of_unique_rows():
    columns = encoded(age=list(range(400)), town=[n * 7 % 400 for n in range(400)])
    sensitive = np.arange(400) % 5
    said = attack(columns, as_it_is(columns), as_it_is(columns), sensitive)
    for name in ("singling_out", "linkage", "linkability", "inference"):
        assert said[name]["before"] == said[name]["after"] == 1.0
    assert said["inference"]["without"] == pytest.approx(0.2)


def test_nobody_is_found_where_all_rows_are_alike():
    columns = encoded(age=list(range(400)), town=[n * 7 % 400 for n in range(400)])
    everything = by_levels(columns, [c.height - 1 for c in columns], None)
    said = attack(columns, as_it_is(columns), everything, np.arange(400) % 4)
    assert said["singling_out"]["after"] == 0.0
    assert said["linkage"]["after"] <= 0.02
    assert said["linkability"]["after"] <= 0.02
    assert abs(said["inference"]["after"] - 0.25) <= 0.02


def test_ranges_and_levels_that_show_the_same_are_attacked_alike():
    columns = encoded(age=[n % 20 for n in range(300)], sex=["f", "m", "f"] * 100)
    plain = as_it_is(columns)
    assert attack(columns, plain, by_ranges(columns, plain.classes), None) == attack(columns, plain, plain, None)


def test_who_was_left_out_is_not_found():
    columns = encoded(age=list(range(100)))
    left = by_levels(columns, (0,), np.zeros(100, bool) | (np.arange(100) < 50))
    said = attack(columns, as_it_is(columns), left, None)
    assert said["singling_out"] == {"before": 1.0, "after": 0.5, "without": 0.0}


@pytest.mark.parametrize("method", ["mondrian", "full-domain"])
@pytest.mark.parametrize("k", [2, 10])
def test_protection_keeps_every_attack_below_one_in_k(method, k):
    dice = np.random.default_rng(3)
    table = pa.table(
        {
            "age": dice.integers(18, 90, 2000),
            "sex": dice.choice(["f", "m"], 2000),
            "town": dice.choice([f"{n}0115" for n in range(30)], 2000),
            "illness": dice.choice(["flu", "cold", "other"], 2000),
        }
    )
    recipe = f'quasi_identifiers = ["age", "sex", "town"]\nk = {k}\nsensitive = "illness"\nmethod = "{method}"\n'
    said = anonymise(table, read_recipe(recipe + "[hierarchies.age]\nwidths = [5, 10, 20]\n")).figures["attacks"]
    assert said["singling_out"]["after"] == 0.0
    noise = 3 * (1 / k * (1 - 1 / k) / said["people"]) ** 0.5
    assert said["linkage"]["after"] <= 1 / k + noise
    assert said["linkage"]["before"] > said["linkage"]["after"]
