"""How a script ended, in facts and in words."""

import signal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.training.sandboxes.contract import Ended
from trustplane.training.sandboxes.order import Outcome
from trustplane.training.sandboxes.worker import explain, outcome_of


@given(
    st.builds(Outcome, exit_code=st.integers(0, 255) | st.none(), signal=st.integers(1, 64) | st.none()),
    st.integers(0, 255),
)
def test_the_confinement_knows_best(outcome: Outcome, code: int) -> None:
    assert outcome_of("sandlock", msgspec.json.encode(outcome), code << 8) == outcome


def test_a_supervisor_that_dies_without_an_answer_is_not_taken_for_the_script() -> None:
    assert "no answer" in outcome_of("sandlock", b"", signal.SIGSEGV).not_started


@pytest.mark.parametrize(
    ("status", "outcome"), [(0, Outcome(exit_code=0)), (3 << 8, Outcome(exit_code=3)), (9, Outcome(signal=9))]
)
def test_without_confinement_the_wait_status_speaks(status: int, outcome: Outcome) -> None:
    assert outcome_of("none", b"", status) == outcome


@pytest.mark.parametrize("number", [*(one.value for one in signal.Signals), 40, 64])
def test_every_signal_has_words(number: int) -> None:
    found = explain(Outcome(signal=number))
    assert found.ended is Ended.KILLED
    assert str(number) in found.reason or "SIG" in found.reason


def test_an_exit_is_completed_whatever_its_code() -> None:
    assert explain(Outcome(exit_code=3)).ended is Ended.COMPLETED
