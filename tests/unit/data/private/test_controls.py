"""The control on budgets, as a function of what was found, and on a plane."""

from datetime import timedelta

from sqlalchemy import update

from trustplane.data.private.budgets import BudgetSpec, set_budget
from trustplane.data.private.controls import CONTROLS, collect_budgets, datasets, judge_budgets
from trustplane.data.private.questions import Question, epsilon_of
from trustplane.data.private.releases import release_statistic
from trustplane.data.tables import PrivacyBudget
from trustplane.data.views import ViewSpec, create_view
from trustplane.kernel.controls.contract import Evidence, Scope
from trustplane.kernel.identity.scopes import find_project
from trustplane.values.outcomes import Failed, Passed

PURPOSE = "dpv:CustomerSolvencyMonitoring"


def judged(**row):
    return judge_budgets(Evidence({"budgets": [{"purpose": PURPOSE, "total": 2_000_000, **row}]}))


def test_a_budget_agrees_with_what_was_told():
    passed = judged(spent=500_000, told=500_000)
    assert isinstance(passed, Passed)
    assert passed.figures == {"budgets": 1.0, "epsilon": 2.0, "spent": 0.5}
    assert isinstance(judged(spent=500_000, told=600_000), Failed)
    assert isinstance(judged(spent=2_100_000, told=2_100_000), Failed)


def test_only_datasets_with_a_budget_are_asked_about(plane, cast, clients):
    [control] = CONTROLS

    def found():
        with plane.database.read() as session:
            subjects = datasets(session, Scope(find_project(session, "credit").id, plane.clock.now()))
            return [(s.label, collect_budgets(session, s)) for s in subjects]

    assert control.id == "TP-DAT-08"
    assert found() == []
    steward = cast["data-steward"]
    create_view(plane, steward, "credit", ViewSpec("ages", "clients", ("age",), PURPOSE, timedelta(days=1)))
    budget = set_budget(plane, steward, "credit", "clients", BudgetSpec(PURPOSE, "1"))
    release_statistic(plane, cast["reviewer"], "credit", "ages", Question("count", epsilon_of("0.25")))
    [(label, evidence)] = found()
    assert label == "clients"
    assert evidence.facts == {"budgets": [{"purpose": PURPOSE, "total": 1_000_000, "spent": 250_000, "told": 250_000}]}
    assert len(evidence.events) == 2
    assert isinstance(judge_budgets(evidence), Passed)
    with plane.database.write() as session:
        session.execute(update(PrivacyBudget).where(PrivacyBudget.id == budget).values(spent=0))
    [(_, forged)] = found()
    assert isinstance(judge_budgets(forged), Failed)
