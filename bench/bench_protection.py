"""Protection: the optimal generalisation, Mondrian, the attacks, and what training keeps, on census rows.

The rows are those of Adult (Becker and Kohavi, UCI 1996), whose file is named by ``TRUSTPLANE_ADULT``; the million is Adult drawn again, each
quasi-identifier replaced with a probability of 10 %. The peer is one pass of pycanon's count of k over the result, in the same run.
"""

import os
import resource
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
from pycanon import anonymity
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OrdinalEncoder

from measure import Figure, options, report
from trustplane.data.anonymity.anonymise import anonymise
from trustplane.data.anonymity.attacks import as_it_is, attack, by_ranges
from trustplane.data.anonymity.hierarchies import encode
from trustplane.data.anonymity.lattice import search
from trustplane.data.anonymity.models import Model
from trustplane.data.anonymity.mondrian import partition
from trustplane.data.anonymity.recipes import read_recipe

QUASI = ("age", "sex", "race", "marital_status", "education", "native_country", "workclass", "occupation")
SCHOOL = ["Preschool", "1st-4th", "5th-6th", "7th-8th", "9th", "10th", "11th", "12th"]
COLLEGE = ["HS-grad", "Some-college", "Assoc-voc", "Assoc-acdm"]
DEGREE = ["Bachelors", "Masters", "Prof-school", "Doctorate"]
WED = ["Married-civ-spouse", "Married-AF-spouse", "Married-spouse-absent"]
GOVERNMENT = ["Federal-gov", "Local-gov", "State-gov"]
OFFICE = ["Exec-managerial", "Prof-specialty", "Adm-clerical", "Sales", "Tech-support"]
AMERICA = ["United-States", "Canada", "Outlying-US(Guam-USVI-etc)"]


def hierarchies(table: pa.Table) -> dict[str, dict]:
    """Levels of 5, 2, 2, 3, 4, 3, 3 and 3: 6,480 nodes."""

    def groups(name: str, *levels: dict[str, list[str]]) -> dict:
        known = set(table[name].to_pylist())
        full = []
        for level in levels:
            named = {value for values in level.values() for value in values}
            rest = {"rest": sorted(known - named)} if known - named else {}
            full.append({**{k: [v for v in vs if v in known] for k, vs in level.items()}, **rest})
            known = set(full[-1])
        return {"groups": full}

    return {
        "age": {"widths": [5, 10, 20]},
        "marital_status": groups("marital_status", {"married": WED}),
        "education": groups("education", {"school": SCHOOL, "college": COLLEGE, "degree": DEGREE}, {"lower": ["school", "college"]}),
        "native_country": groups("native_country", {"north": AMERICA}),
        "workclass": groups("workclass", {"government": GOVERNMENT}),
        "occupation": groups("occupation", {"office": OFFICE}),
    }  # fmt: skip


def adult() -> pa.Table:
    """Rows without missing values, as the field uses them."""
    place = os.environ.get("TRUSTPLANE_ADULT")
    if not place:
        sys.exit("TRUSTPLANE_ADULT names the CSV file of Adult, with a header and '?' for what is missing")
    table = pc.read_csv(place)
    there = np.logical_and.reduce([np.array(table[q].to_pylist(), object) != "?" for q in QUASI])
    return table.filter(pa.array(there)).slice(0, 30_162)


def million(table: pa.Table, rows: int) -> pa.Table:
    """Adult drawn again, a tenth of each column's values replaced by values of others."""
    dice = np.random.default_rng(5)
    drawn = dice.integers(0, table.num_rows, rows)
    columns = {}
    for name in QUASI:
        strange = np.where(dice.random(rows) < 0.1, dice.integers(0, table.num_rows, rows), drawn)
        columns[name] = table[name].take(pa.array(strange))
    return pa.table(columns)


def timed(work) -> tuple[float, object]:
    start = time.process_time()
    made = work()
    return time.process_time() - start, made


def auc(shown: pa.Table, label: np.ndarray) -> float:
    """How well the quasi-identifiers, as they are shown, tell the income: the mean of three splits."""
    values = OrdinalEncoder().fit_transform(
        np.stack([np.array(shown[q].cast(pa.string()).to_pylist()) for q in QUASI], 1)
    )
    scores = []
    for seed in range(3):
        train, test, of_train, of_test = train_test_split(values, label, random_state=seed, stratify=label)
        model = HistGradientBoostingClassifier(random_state=seed, categorical_features=None).fit(train, of_train)
        scores.append(roc_auc_score(of_test, model.predict_proba(test)[:, 1]))
    return float(np.mean(scores))


def by_age(shown: pa.Table) -> pa.Table:
    """Ranges of numbers as their middle, so that a tree can order them."""

    def middle(text: str) -> float:
        ends = [float(each) for each in text.split(" to ")]
        return sum(ends) / len(ends)

    ages = [45.0 if a == "*" else middle(a) for a in shown["age"].to_pylist()]
    return shown.set_column(shown.column_names.index("age"), "age", pa.array([f"{a:06.2f}" for a in ages]))


def main() -> None:
    settings = options("Protection of census rows.")
    table = adult()
    spec = hierarchies(table)
    figures = []
    for k in (5, 10, 50):
        spent, found = timed(
            lambda k=k: search([encode(q, table[q], spec.get(q)) for q in QUASI], Model(k), limit=0.05)
        )
        figures.append(
            Figure(
                f"optimum of 6,480 nodes, 30,000 rows, k = {k} (loss {found.loss:.4f})", spent, "s", 0.5, least=False
            )
        )
    columns = [encode(q, table[q], spec.get(q)) for q in QUASI]
    assert np.prod([c.height for c in columns]) == 6_480
    spent, classes = timed(lambda: partition(columns, Model(5)))
    figures.append(Figure("Mondrian, 30,000 rows, k = 5", spent, "s", 0.2, least=False))
    spent, _ = timed(lambda: attack(columns, as_it_is(columns), by_ranges(columns, classes), None))
    figures.append(Figure("the attacks, 30,000 rows", spent, "s", 2.0, least=False))
    names = ", ".join(f'"{q}"' for q in QUASI)
    label = np.array(table["income"].to_pylist()) == ">50K"
    recipe = read_recipe(f"quasi_identifiers = [{names}]\nk = 5\n")
    whole, done = timed(lambda: anonymise(table.select(QUASI), recipe))
    counted, _ = timed(lambda: anonymity.k_anonymity(done.table.to_pandas(), list(QUASI)))
    figures.append(
        Figure(
            "a whole protection by Mondrian beside pycanon counting its k", whole / counted, "times", 5.0, least=False
        )
    )
    lost = auc(table, label) - auc(by_age(done.table), label)
    figures.append(Figure("AUC lost at k = 5 by Mondrian", lost, "", 0.02, least=False))
    big = million(table, 100_000 if settings.quick else 1_000_000)
    encoded = [encode(q, big[q], spec.get(q)) for q in QUASI]
    spent, found = timed(lambda: search(encoded, Model(10), limit=0.05))
    figures.append(
        Figure(f"optimum, {big.num_rows:,} rows, k = 10 (loss {found.loss:.4f})", spent, "s", 3.0, least=False)
    )
    spent, _ = timed(lambda: partition(encoded, Model(10)))
    figures.append(Figure(f"Mondrian, {big.num_rows:,} rows, k = 10", spent, "s", 4.0, least=False))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_048_576
    figures.append(Figure("peak of memory, all of it", peak, "GiB", 2.0, least=False))
    report(figures, settings)


if __name__ == "__main__":
    main()
