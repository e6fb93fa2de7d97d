"""Discovery of personal data: 1,000,000 rows of 20 columns typed from a sample and by every row, beside one pass of Python's re.

The peer is the least that a scanner of single cells does: one pattern over every text cell, in Python. Free text is measured too.
"""

import re
import resource
import time

import numpy as np
import pyarrow as pa

from measure import Figure, options, report
from trustplane.data.exact import ExactPass
from trustplane.data.profile import confirmed, profile_of
from trustplane.data.recognisers.numbers import Number
from trustplane.data.recognisers.registry import installed_recognisers
from trustplane.data.sampling import Sampler
from trustplane.data.spans import SpanFinder

PEER = re.compile(r"^[\w.+-]+@[\w-]+\.[\w.-]+$")
TRUTH = {
    "mail": "EMAIL_ADDRESS", "phone": "PHONE_NUMBER", "tax": "DE_TAX_ID", "cpf": "BR_CPF", "nhs": "UK_NHS", "dni": "ES_NIF",
    "aadhaar": "IN_AADHAAR", "ip": "IP_ADDRESS", "surname": "PERSON", "address": "LOCATION", "age": "AGE", "sex": "SEX",
}  # fmt: skip


def valid(entity: str, count: int, dice: np.random.Generator) -> list[str]:
    one = next(r for r in installed_recognisers() if isinstance(r, Number) and r.descriptor.entity == entity)
    found: list[str] = []
    while len(found) < count:
        many = one.shapes[0].drawn(1_000_000, dice)
        found += [bytes(row).decode("ascii") for row in many[one.valid(many)]]
    return found[:count]


def table(rows: int) -> pa.Table:
    """Twelve columns of personal data under names that mostly say nothing, and eight that look like it."""
    dice = np.random.default_rng(1)
    n = dice.integers(0, 10**9, (rows, 4))
    tax, cpf, nhs, dni, aadhaar = (
        np.array(valid(e, min(rows, 200_000), dice))[dice.permutation(rows) % min(rows, 200_000)]
        for e in ("DE_TAX_ID", "BR_CPF", "UK_NHS", "ES_NIF", "IN_AADHAAR")
    )
    names = np.array(["Smith", "Jones", "Nowak", "Müller", "García", "Rossi", "Dupont", "Silva"])
    return pa.table(
        {
            "mail": [f"p{a}@mail.example" for a in n[:, 0].tolist()],
            "phone": [f"+44 20 {a % 9000 + 1000} {b % 9000 + 1000}" for a, b in n[:, :2].tolist()],
            "tax": tax,
            "cpf": cpf,
            "nhs": nhs,
            "dni": dni,
            "aadhaar": aadhaar,
            "ip": [f"10.{a % 256}.{b % 256}.{c % 256}" for a, b, c in n[:, :3].tolist()],
            "surname": names[n[:, 0] % 8],
            "address": [f"{a % 400} Oak Street" for a in n[:, 0].tolist()],
            "age": n[:, 1] % 80 + 18,
            "sex": np.array(["f", "m"])[n[:, 2] % 2],
            "order_id": n[:, 3] + 10**9,
            "sku": [f"AB-{a % 100_000:05d}" for a in n[:, 1].tolist()],
            "order_number": [f"{a:09d}{b % 10**7:07d}" for a, b in n[:, :2].tolist()],
            "reference": [f"{a:09d}" for a in n[:, 2].tolist()],
            "c16": [f"{a:09d}{b % 100:02d}" for a, b in n[:, 2:].tolist()],
            "amount": dice.gamma(2, 1500, rows).round(2),
            "balance": dice.normal(0, 1500, rows),
            "note": [
                f"the client of case {a % 100_000} asked about the balance and will write again"
                for a in n[:, 3].tolist()
            ],
        }
    )


def main() -> None:
    settings = options("Discovery of personal data in tables and text.")
    rows = 100_000 if settings.quick else 1_000_000
    made = table(rows)
    named = [*TRUTH, *[c for c in made.column_names if c not in TRUTH]]
    # The columns of what has a form of its own say nothing of it.
    plain = {"tax", "cpf", "nhs", "dni", "aadhaar", "mail", "phone", "ip"}
    schema = pa.schema(
        [pa.field(f"x{at}" if name in plain else name, made[name].type) for at, name in enumerate(made.column_names)]
    )
    batches = made.rename_columns(schema.names).to_batches(max_chunksize=65_536)
    truth = [TRUTH.get(name, "") for name in made.column_names]
    installed_recognisers()

    start = time.process_time()
    sampler = Sampler(schema, seed=1)
    for batch in batches:
        sampler.add(batch)
    sampled = profile_of(sampler.samples(), rows=rows, seed=1)
    of_sample = time.process_time() - start

    start = time.process_time()
    every = ExactPass(schema)
    for batch in batches:
        every.add(batch)
    whole = confirmed(sampled, every.proposals())
    of_all = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    start = time.process_time()
    for column in (c for c in made.columns if pa.types.is_string(c.type)):
        sum(1 for text in column.to_pylist() if PEER.match(text))
    peer = time.process_time() - start

    texts = [f"Please call {a} on {b}, order {c}" for a, b, c in zip(made["surname"].to_pylist(), made["phone"].to_pylist(), made["order_number"].to_pylist(), strict=True)][:50_000]  # fmt: skip
    of_text, of_names = searched(SpanFinder(readers=()), texts), searched(SpanFinder(), texts)

    figures = [
        Figure("typed from a sample", of_sample, "s of CPU", 1.0, least=False),
        Figure("typed by every row", of_all, "s of CPU", 10.0, least=False),
        Figure("peak memory, the table included", peak / 1e9, "GB", 2.0, least=False),
        Figure("column F1 from a sample", f1(truth, [p.entity for p in sampled.proposals]), "", 0.95),
        Figure("column F1 by every row", f1(truth, [p.entity for p in whole.proposals]), "", 0.95),
        Figure(
            "decoys flagged",
            sum(1 for t, p in zip(truth, whole.proposals, strict=True) if not t and p.entity),
            "columns",
            0,
            least=False,
        ),
        Figure("short texts searched by rules", of_text, "per s of CPU", 50_000),
        Figure("short texts searched, names too", of_names, "per s of CPU", 820),
    ]
    report(
        figures,
        settings,
        rows=f"{rows:,} of {len(named)} columns",
        **{"one pattern over each text cell with re": f"{peer:.2f} s of CPU"},
    )


def searched(finder: SpanFinder, texts: list[str]) -> float:
    """Texts that a finder searches in a second of CPU."""
    finder.find(texts[:10])
    start = time.process_time()
    for at in range(0, len(texts), 5000):
        finder.find(texts[at : at + 5000])
    return len(texts) / (time.process_time() - start)


def f1(truth: list[str], found: list[str]) -> float:
    right = sum(1 for t, f in zip(truth, found, strict=True) if t and t == f)
    return 2 * right / (sum(map(bool, truth)) + sum(map(bool, found)))


if __name__ == "__main__":
    main()
