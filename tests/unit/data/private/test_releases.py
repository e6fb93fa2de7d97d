"""Budgets: in the database, spent once for each answer, and never beyond, whoever asks at once."""

import json
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from trustplane.data.private.budgets import BudgetSpec, set_budget
from trustplane.data.private.questions import Question, epsilon_of
from trustplane.data.private.releases import release_statistic
from trustplane.data.tables import DatasetVersion, PrivacyBudget, PrivacyRelease
from trustplane.data.views import ViewSpec, create_view, open_view, revoke_view
from trustplane.kernel.ledger.crosscheck import verify
from trustplane.kernel.operation import AccessDenied, Idempotency
from trustplane.values.errors import BadInput, Conflict, Denied, Refused, Unavailable

PURPOSE = "dpv:CustomerSolvencyMonitoring"
COUNT = Question("count", epsilon_of("0.1"))


@pytest.fixture
def steward(cast):
    """The data steward."""
    return cast["data-steward"]


@pytest.fixture
def view(plane, steward, clients):
    """A view of the clients."""
    columns = ("customer_id", "age", "amount")
    create_view(plane, steward, "credit", ViewSpec("ages", "clients", columns, PURPOSE, timedelta(days=1)))
    return "ages"


@pytest.fixture
def budget(plane, steward, view):
    """A budget of 1; give its id."""
    return set_budget(plane, steward, "credit", "clients", BudgetSpec(PURPOSE, "1"))


def tell(plane, actor, asked=COUNT, **said):
    made = release_statistic(plane, actor, "credit", "ages", asked, **said)
    with plane.database.read() as session:
        return session.get_one(PrivacyRelease, made)


def spent(plane, budget):
    with plane.database.read() as session:
        paid = session.scalar(select(func.sum(PrivacyRelease.epsilon)).where(PrivacyRelease.budget_id == budget)) or 0
        row = session.get_one(PrivacyBudget, budget)
        assert row.spent == paid
        return row.spent


def test_a_statistic_is_told_and_paid_for(plane, cast, budget):
    told = tell(plane, cast["scientist"], Question("mean", epsilon_of("0.5"), "age", 0, 100))
    assert 0 <= told.answer["value"] <= 100
    assert spent(plane, budget) == 500_000
    event = next(e for e in plane.ledger.feed(limit=3) if e.leaf.action == "view.measure")
    facts = plane.ledger.get(event.leaf.id).payload["facts"]
    assert facts | {"kind": "mean", "column": "age", "epsilon": "0.5", "left": "0.5", "purpose": PURPOSE} == facts
    assert str(told.answer["value"]) not in json.dumps(facts)
    plane.ledger.sequencer.integrate()
    verify(plane).require_sound()


def test_who_may_not_open_a_view_may_measure_it(plane, cast, budget):
    assert tell(plane, cast["reviewer"]).kind == "count"
    with pytest.raises(AccessDenied):
        open_view(plane, cast["reviewer"], "credit", "ages")


@pytest.mark.parametrize("role", ["owner", "operator", "auditor", "consumer"])
def test_others_may_not(plane, cast, budget, role):
    with pytest.raises(AccessDenied):
        tell(plane, cast[role])
    assert spent(plane, budget) == 0


@pytest.mark.parametrize("role", ["scientist", "reviewer", "operator", "auditor", "consumer"])
def test_a_budget_is_given_by_those_who_answer_for_the_data(plane, cast, view, role):
    with pytest.raises(AccessDenied):
        set_budget(plane, cast[role], "credit", "clients", BudgetSpec(PURPOSE, "1"))


def test_without_a_budget_nothing_is_told(plane, cast, view):
    with pytest.raises(Refused) as told:
        tell(plane, cast["scientist"])
    assert told.value.code == "TP-DATA-111"


def test_another_purpose_is_refused(plane, cast, budget):
    with pytest.raises(AccessDenied) as told:
        tell(plane, cast["scientist"], purpose="dpv:FraudPreventionAndDetection")
    assert "purpose-view-open" in told.value.policies


def test_a_revoked_view_tells_nothing(plane, cast, steward, budget):
    revoke_view(plane, steward, "credit", "ages")
    with pytest.raises(Denied):
        tell(plane, cast["scientist"])
    assert spent(plane, budget) == 0


def test_an_exhausted_budget_refuses_and_says_what_is_left(plane, cast, budget):
    tell(plane, cast["scientist"], Question("count", epsilon_of("0.95")))
    with pytest.raises(Refused) as told:
        tell(plane, cast["scientist"])
    assert told.value.code == "TP-DATA-112"
    assert "0.05 left" in str(told.value)
    tell(plane, cast["scientist"], Question("count", epsilon_of("0.05")))
    assert spent(plane, budget) == 1_000_000


def test_who_names_everybody_is_not_counted_by_name(plane, cast, budget):
    with pytest.raises(BadInput) as told:
        tell(plane, cast["scientist"], Question("count", epsilon_of("0.1"), where='customer_id == "C00007"'))
    assert told.value.code == "TP-DATA-033"
    assert "C00007" not in str(told.value)


def test_keys_of_other_columns_stay_in_the_vault(plane, cast, budget, clients):
    tell(plane, cast["scientist"], Question("count", epsilon_of("0.1"), "age"))
    event = next(e for e in plane.ledger.feed(limit=3) if e.leaf.action == "view.measure")
    released = plane.ledger.get(event.leaf.id).payload["keys"]
    with plane.database.read() as session:
        version = session.get_one(DatasetVersion, clients.version_id)
    assert released == [version.keys["footer"], f"{version.keys[version.classes['age']]}/age"]


def test_twenty_at_once_spend_no_more_than_there_is(plane, cast, budget):
    def ask(_):
        try:
            return tell(plane, cast["scientist"]).epsilon
        except (Refused, Conflict):
            return 0

    with ThreadPoolExecutor(20) as pool:
        paid = sum(pool.map(ask, range(20)))
    assert paid == spent(plane, budget) == 1_000_000


def test_a_repeated_request_is_paid_for_once(plane, cast, budget):
    key = Idempotency("a-key", "a-request")
    first = release_statistic(plane, cast["scientist"], "credit", "ages", COUNT, idempotency=key)
    assert plane.replayed(cast["scientist"], key) == first
    assert spent(plane, budget) == 100_000


def test_a_failure_on_the_way_costs_nothing(plane, cast, budget, monkeypatch):
    from trustplane.data.private import releases

    monkeypatch.setattr(releases, "PrivacyRelease", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tell(plane, cast["scientist"])
    monkeypatch.undo()
    assert spent(plane, budget) == 0


def test_a_budget_is_not_lowered_below_what_was_spent_and_keeps_its_unit(plane, cast, steward, budget):
    tell(plane, cast["scientist"], Question("count", epsilon_of("0.5")))
    for spec in (BudgetSpec(PURPOSE, "0.4"), BudgetSpec(PURPOSE, "2", "customer_id", 2), BudgetSpec(PURPOSE, "1")):
        with pytest.raises(Refused) as told:
            set_budget(plane, steward, "credit", "clients", spec)
        assert told.value.code == "TP-DATA-113"
    assert set_budget(plane, steward, "credit", "clients", BudgetSpec(PURPOSE, "0.5")) == budget
    with pytest.raises(Refused):
        tell(plane, cast["scientist"])


@pytest.mark.parametrize(
    "wanted",
    [
        BudgetSpec(PURPOSE, "1", "no_such_column"),
        BudgetSpec(PURPOSE, "1", "", 3),
        BudgetSpec(PURPOSE, "1", "customer_id", 0),
        BudgetSpec(PURPOSE, "0"),
        BudgetSpec(PURPOSE, "nan"),
        BudgetSpec("dpv:FraudPreventionAndDetection", "1"),
    ],
)
def test_what_is_no_budget_is_refused(plane, steward, view, wanted):
    with pytest.raises(BadInput):
        set_budget(plane, steward, "credit", "clients", wanted)


def test_people_are_hidden_with_all_their_rows(plane, cast, steward, view):
    spec = BudgetSpec(PURPOSE, "3", "customer_id", 2)
    set_budget(plane, steward, "credit", "clients", spec)
    told = tell(plane, cast["scientist"], Question("count", epsilon_of("2")))
    assert told.answer["scale"] == pytest.approx(1.0)
    assert abs(told.answer["value"] - 500) < 40


def test_processes_at_once_and_one_that_is_killed(plane, cast, budget):
    """Each of three processes asks until nothing is left, one of them is killed on the way: what was answered was paid for."""
    script = """
    import os, signal, sys
    from pathlib import Path
    from trustplane.data.private.questions import Question, epsilon_of
    from trustplane.data.private.releases import release_statistic
    from trustplane.kernel.plane import Plane
    from trustplane.kernel.settings import Settings
    from trustplane.values.errors import TrustplaneError

    told = 0
    with Plane.open(Path(sys.argv[1]), settings=Settings(database_url=sys.argv[2])) as plane:
        actor = plane.stand_in(sys.argv[3], ["*"])
        while True:
            try:
                release_statistic(plane, actor, "credit", "ages", Question("count", epsilon_of("0.05")))
            except TrustplaneError as error:
                if error.code == "TP-DATA-112":
                    break
                continue
            told += 1
            print(told, flush=True)
            if sys.argv[4] == "die" and told == 2:
                os.kill(os.getpid(), signal.SIGKILL)
    """
    place = (plane.workspace.folder, plane.workspace.database_url, cast["scientist"].id)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script), *map(str, place), how], stdout=subprocess.PIPE, text=True
        )
        for how in ("die", "live", "live")
    ]
    told = sum(len(process.communicate(timeout=180)[0].split()) for process in processes)
    assert spent(plane, budget) == 1_000_000
    assert told == 20


def test_without_the_extra_nothing_is_spent(plane, cast, budget, monkeypatch):
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    with pytest.raises(Unavailable) as told:
        tell(plane, cast["scientist"])
    assert told.value.code == "TP-DATA-114"
    assert spent(plane, budget) == 0
