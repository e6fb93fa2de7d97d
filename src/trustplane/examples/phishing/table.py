"""The phishing table of the examples: 11,430 web pages, half of them phishing. Standard library only."""

import csv
import io
import lzma
import random
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

ROWS = 11_430
SEED = 2021
LABEL = "phishing"
OUTSIDE = (
    "whois_registered_domain", "domain_registration_length", "domain_age", "web_traffic", "dns_record", "google_index", "page_rank",
)  # fmt: skip
"""What others say of a page: its maker cannot change it from one day to the next."""
_OF_URL = 56  # the first columns are of the address, then come those of the page, then those of others


def features() -> tuple[str, ...]:
    """The features of the examples: the 56 of the address, which whoever puts the page up chooses, and the 7 from outside."""
    header = next(_lines())
    return (*header[:_OF_URL], *OUTSIDE)


def write_phishing_table(path: Path, rows: int = ROWS, seed: int = SEED) -> None:
    """Write ``rows`` of the table to ``path`` as CSV: the features and ``phishing``, 1 for a phishing page. The same seed gives the same bytes."""
    if not 1 <= rows <= ROWS:
        raise ValueError(f"the table has 1 to {ROWS:,} rows")
    lines = _lines()
    header = next(lines)
    places = [header.index(name) for name in features()]
    chosen = list(lines)
    random.Random(seed).shuffle(chosen)  # noqa: S311 - example data needs repeatability, not secrecy
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*features(), LABEL])
        writer.writerows([*(row[p] for p in places), int(row[-1] == "phishing")] for row in chosen[:rows])


def write_threat(path: Path) -> None:
    """Write the threat model of the example to ``path``."""
    path.write_bytes(files("trustplane.examples.phishing").joinpath("threat.toml").read_bytes())


def _lines() -> Iterator[list[str]]:
    """Header and rows of the data set as it was published, without the addresses."""
    packed = files("trustplane.examples.phishing").joinpath("phishing_urls.csv.xz")
    with packed.open("rb") as file, lzma.open(file) as plain:
        yield from csv.reader(io.TextIOWrapper(plain, encoding="utf-8", newline=""))
