"""What the controls make of an assessment."""

import pytest

from trustplane.assessment.checks.contract import Descriptor, Parameter, Stricter
from trustplane.assessment.controls import CONTROLS, judge
from trustplane.kernel.controls.contract import Evidence
from trustplane.values.outcomes import Failed, Inconclusive, NotApplicable, Passed

ONE = Descriptor("one", "?", (Parameter("least", 0.8, Stricter.HIGHER, "convention"),))
OTHER = Descriptor("other", "?")
PASSED, FAILED, NONE, NOT = "passed", "failed", "no-evidence", "not-applicable"


def evidence(one: str | None, other: str | None, least: float | None = 0.8) -> Evidence:
    said = {"one": one, "other": other}
    results = {
        name: {"status": status, "reason": f"{name} says so", "figures": {"x": 0.5}, "intervals": {}}
        for name, status in said.items()
        if status is not None
    }
    return Evidence(
        {"assessments": 1, "results": results, "parameters": {} if least is None else {"one": {"least": least}}}
    )


@pytest.mark.parametrize(
    ("one", "other", "least", "expected"),
    [
        (PASSED, PASSED, 0.8, Passed),
        (PASSED, PASSED, 0.9, Passed),
        (PASSED, NOT, 0.8, Passed),
        (NOT, NOT, 0.8, NotApplicable),
        (PASSED, FAILED, 0.8, Failed),
        (FAILED, PASSED, 0.8, Failed),
        (NONE, FAILED, 0.8, Failed),
        (NONE, PASSED, 0.8, Inconclusive),
        (PASSED, NONE, 0.8, Inconclusive),
        (PASSED, "something new", 0.8, Inconclusive),
        (PASSED, None, 0.8, Inconclusive),
        (None, None, 0.8, Inconclusive),
        (PASSED, PASSED, 0.79, Failed),
        (PASSED, PASSED, None, Failed),
    ],
)
def test_verdicts(one, other, least, expected) -> None:
    verdict = judge(evidence(one, other, least), (ONE, OTHER))
    assert isinstance(verdict, expected)
    assert isinstance(verdict, Passed | NotApplicable) or verdict.remedy


def test_figures_say_of_which_check_they_are() -> None:
    verdict = judge(evidence(PASSED, PASSED), (ONE, OTHER))
    assert verdict.figures == {"assessments": 1.0, "one.x": 0.5, "other.x": 0.5}


def test_all_ask_for_fresh_evidence_and_two_hold_a_release_back() -> None:
    assert {c.max_age.days for c in CONTROLS} == {90}
    assert [c.id for c in CONTROLS if c.gate] == ["TP-ASM-01", "TP-ASM-02"]
