"""What a view withholds: masked values, single rows, most of the rows."""

from datetime import timedelta

import pyarrow as pa
import pytest

from trustplane.data.private.budgets import BudgetSpec, set_budget
from trustplane.data.private.questions import Question, epsilon_of
from trustplane.data.private.releases import release_statistic
from trustplane.data.queries import query
from trustplane.data.sql_check import aggregates_alone, check_query
from trustplane.data.tables import PrivacyRelease
from trustplane.data.view_limits import Limits
from trustplane.data.views import ViewSpec, create_view, open_view
from trustplane.kernel.ledger.crosscheck import verify
from trustplane.values.errors import BadInput, Denied

PURPOSE = "dpv:CustomerSolvencyMonitoring"


@pytest.fixture
def make(plane, cast, clients):
    """Make a view with limits."""

    def made(name, *columns, **limits):
        spec = ViewSpec(name, "clients", columns, PURPOSE, timedelta(days=1), limits=Limits(**limits))
        create_view(plane, cast["data-steward"], "credit", spec)
        return name

    return made


def rows(plane, actor, view):
    return [row for batch in open_view(plane, actor, "credit", view).batches for row in batch.to_pylist()]


def asked(plane, actor, sql):
    answered = query(plane, actor, "credit", sql)
    return pa.Table.from_batches(list(answered.batches), answered.schema).to_pylist()


def test_a_column_is_masked_for_all_but_some(plane, cast, make):
    make("masked", "customer_id", "age", masks={"customer_id": 2, "age": 0})
    shown = rows(plane, cast["scientist"], "masked")
    assert shown[7] == {"customer_id": "****07", "age": "**"}
    assert plane.ledger.feed(limit=1)[0].payload["facts"]["masked"] == ["age", "customer_id"]
    assert rows(plane, cast["data-steward"], "masked")[7] == {"customer_id": "C00007", "age": 25}
    assert asked(plane, cast["scientist"], "SELECT DISTINCT age FROM masked") == [{"age": "**"}]
    verify(plane).require_sound()


def test_who_sees_it_whole_is_said_by_the_view(plane, cast, make):
    make("masked", "customer_id", masks={"customer_id": 0}, unmasked=("scientist",))
    assert rows(plane, cast["scientist"], "masked")[0] == {"customer_id": "C00000"}
    assert rows(plane, cast["data-steward"], "masked")[0] == {"customer_id": "******"}


def test_a_sample_is_the_same_each_time(plane, cast, make):
    make("few", "customer_id", sample=20)
    first = rows(plane, cast["scientist"], "few")
    assert len(first) == 20
    assert first == rows(plane, cast["scientist"], "few")
    make("others", "customer_id", sample=20)
    assert first != rows(plane, cast["scientist"], "others")
    make("all", "customer_id", sample=100_000)
    assert len(rows(plane, cast["scientist"], "all")) == 500


def test_no_row_leaves_a_view_of_aggregates(plane, cast, make):
    make("sums", "age", "amount", groups=8)
    for role in ("scientist", "data-steward"):
        with pytest.raises(Denied) as caught:
            rows(plane, cast[role], "sums")
        assert caught.value.code == "TP-DATA-043"
    found = asked(plane, cast["scientist"], "SELECT age, count(*) AS n, avg(amount) AS mean FROM sums GROUP BY age")
    assert found
    assert all(row["n"] >= 8 for row in found)
    assert sum(row["n"] for row in found) == 500
    assert asked(plane, cast["scientist"], "SELECT count(*) FROM sums WHERE age = 18 AND amount < 30") == []
    assert asked(plane, cast["scientist"], "SELECT count(*) AS n FROM sums") == [{"n": 500}]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM sums", "SELECT age FROM sums", "SELECT age, amount FROM sums GROUP BY age, amount + 1", "SELECT max(amount) FROM sums",
        "SELECT sum(CASE WHEN age = 18 THEN amount ELSE 0 END) FROM sums", "SELECT count(*) FILTER (WHERE age = 18) FROM sums",
        "SELECT sum(amount) OVER () FROM sums", "SELECT (SELECT max(amount) FROM sums) AS x, count(*) FROM sums",
        "SELECT count(*) FROM (SELECT * FROM sums LIMIT 1)", "WITH x AS (SELECT * FROM sums) SELECT count(*) FROM x",
        "SELECT count(*) FROM sums a JOIN sums b ON a.age = b.age", "SELECT count(*) FROM sums, sums b", "SELECT DISTINCT age FROM sums",
        "SELECT count(*) FROM sums UNION ALL SELECT max(amount) FROM sums", "SELECT list(amount) FROM sums", "SELECT count(*) FROM sums HAVING max(amount) > 7",
        "SELECT any_value(amount) FROM sums GROUP BY age", "SELECT age, count(*) FROM sums GROUP BY ALL", "SELECT age, count(*) FROM sums GROUP BY ROLLUP (age)",
        "SELECT age, count(*) FROM sums GROUP BY GROUPING SETS ((age), ())", "SELECT age, count(*) FROM sums GROUP BY 1", "SELECT count(DISTINCT amount) FROM sums",
        "SELECT age, count(*) FROM sums GROUP BY age ORDER BY max(amount)", "SELECT sum(amount) + max(amount) FROM sums", "SELECT count(sums) FROM sums",
        "SELECT sum(amount ORDER BY age) FROM sums", "SELECT age, count(*) FROM sums GROUP BY age QUALIFY row_number() OVER () = 1",
        "SELECT count(*) FROM sums WHERE amount = (SELECT max(amount) FROM sums)", "SELECT count(*), amount FROM sums", "SELECT avg(amount) FROM sums USING SAMPLE 1 ROWS",
        "SELECT count(*) FROM sums TABLESAMPLE 1%", "FROM sums", "SELECT arg_max(amount, age) FROM sums", "SELECT histogram(age) FROM sums",
        "SELECT count(*) FROM sums WHERE error(age)", "SELECT count(*) FROM sums WHERE age = 18 AND CAST(customer_id AS INT) = 1",
        "SELECT count(*) FROM sums WHERE customer_id = 5", "SELECT count(*) FROM sums WHERE age = amount", "SELECT count(*) FROM sums WHERE age + 1 = 19",
        "SELECT count(*) FROM sums WHERE age IN (SELECT max(age) FROM sums)", "SELECT count(*) FROM sums WHERE customer_id LIKE 'C%'",
        "SELECT age, count(*) FROM sums GROUP BY age OFFSET 3", "SELECT count(*) FROM sums LIMIT (SELECT max(age) FROM sums)", "PIVOT sums ON age USING count(*)",
    ],
)  # fmt: skip
def test_what_would_let_a_row_out_is_refused(sql):
    with pytest.raises(BadInput) as caught:
        aggregates_alone(check_query(sql), 8, {"age": "number", "amount": "number", "customer_id": "text"})
    assert caught.value.code == "TP-DATA-080"


def test_the_bound_stands_in_the_query_that_runs():
    sql = "SELECT age AS a, sum(amount) s FROM v WHERE age > 3 AND NOT (town IN ('x', 'y') OR town IS NULL)"
    sql += " AND age BETWEEN -1 AND 9 GROUP BY age ORDER BY s DESC LIMIT 5"
    text = aggregates_alone(check_query(sql), 9, {"age": "number", "town": "text"}).text
    assert "HAVING COUNT(*) >= 9" in text


@pytest.mark.parametrize(
    "limits",
    [{"masks": {"nothing": 0}}, {"masks": {"age": 9}}, {"masks": {"age": -1}}, {"groups": 2}, {"groups": -9}, {"sample": 0},
     {"masks": {"age": 0}, "unmasked": ("king",)}],
)  # fmt: skip
def test_limits_that_make_no_sense(make, limits):
    with pytest.raises(BadInput):
        make("wrong", "age", **limits)


def test_a_pseudonym_is_not_masked(plane, cast, clients):
    spec = ViewSpec("x", "clients", ("customer_id",), PURPOSE, timedelta(days=1), "", ("customer_id",), None, Limits({"customer_id": 2}))  # fmt: skip
    with pytest.raises(BadInput) as caught:
        create_view(plane, cast["data-steward"], "credit", spec)
    assert caught.value.code == "TP-DATA-044"


def test_statistics_keep_to_the_limits_too(plane, cast, make):
    set_budget(plane, cast["data-steward"], "credit", "clients", BudgetSpec(PURPOSE, "40"))
    make("few", "age", "amount", masks={"age": 0}, sample=20, groups=9)

    def told(actor, **asked):
        made = release_statistic(plane, cast[actor], "credit", "few", Question(**asked))
        with plane.database.read() as session:
            return session.get_one(PrivacyRelease, made).answer["value"]

    assert abs(told("scientist", kind="count", epsilon=epsilon_of("15")) - 20) <= 3
    asked = {"kind": "mean", "column": "age", "epsilon": epsilon_of("1"), "lower": 18, "upper": 80}
    assert 18 <= told("data-steward", **asked) <= 80
    for wrong in (asked, {"kind": "count", "epsilon": epsilon_of("1"), "where": "age == 20"}):
        with pytest.raises(BadInput):
            told("scientist", **wrong)
