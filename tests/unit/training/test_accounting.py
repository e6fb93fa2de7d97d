"""What runs used, added up."""

from hypothesis import given
from hypothesis import strategies as st

from trustplane.training.accounting import RunTotals, by_author, totals
from trustplane.training.tables import Run


def ran(author, state="done", **used):
    return Run(
        author_id=author, state=state, environment=used, outputs={"model": {"size": 10}} if state == "done" else {}
    )


def test_a_run_that_was_not_measured_counts_as_a_run_alone() -> None:
    rows = [
        ran("ann", wall_seconds=2.5, cpu_seconds=4.0, peak_memory_bytes=100),
        ran("ann", wall_seconds=1.5, cpu_seconds=1.0, peak_memory_bytes=300),
        ran("bob", state="failed"),
        ran("bob", state="queued"),
    ]
    assert totals(rows) == RunTotals(4, 2, 1, 2, 4.0, 5.0, 300, 20)
    assert by_author(rows) == {"ann": RunTotals(2, 2, 0, 2, 4.0, 5.0, 300, 20), "bob": RunTotals(2, 0, 1)}


@given(st.lists(st.tuples(st.sampled_from(["ann", "bob", "eve"]), st.integers(0, 1000))))
def test_what_authors_used_is_what_all_used(facts) -> None:
    rows = [ran(author, wall_seconds=float(n), cpu_seconds=0.0, peak_memory_bytes=n) for author, n in facts]
    parts = by_author(rows).values()
    assert sum(part.wall_seconds for part in parts) == totals(rows).wall_seconds
    assert max((part.peak_memory_bytes for part in parts), default=0) == totals(rows).peak_memory_bytes
