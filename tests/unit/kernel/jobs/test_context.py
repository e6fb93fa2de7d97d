"""Steps and progress, on a record in memory."""

from collections.abc import Callable
from typing import Any

import pytest

from trustplane.kernel.jobs.context import Interrupted, JobContext
from trustplane.values.errors import Refused, TrustplaneError


class Memory:
    """Records steps and progress in order of their beginning."""

    def __init__(self) -> None:
        self.steps: list[str] = []
        self.told: list[Any] = []

    def run(self, name: str, function: Callable[[], Any]) -> Any:
        self.steps.append(name)
        return function()

    def emit(self, value: Any) -> None:
        self.told.append(value["done"])


@pytest.fixture
def memory() -> Memory:
    return Memory()


def context(memory: Memory, leaving: Callable[[], bool] = lambda: False) -> JobContext:
    return JobContext("id", None, None, memory, leaving)


def test_a_step_within_a_step_is_a_part_of_it(memory: Memory) -> None:
    ctx = context(memory)
    assert ctx.step("outer", lambda: ctx.step("inner", lambda: (1,))) == [1]
    assert ctx.step("next", lambda: 2) == 2
    assert memory.steps == ["outer", "next"]


def test_between_steps_all_progress_is_recorded(memory: Memory) -> None:
    """Each record takes the place of a step, so leaving one out would move the others when the job resumes."""
    ctx = context(memory)
    for n in range(100):
        ctx.progress(n, 100)
    assert memory.told == list(range(100))


def test_within_a_step_the_last_progress_is_always_recorded(memory: Memory) -> None:
    ctx = context(memory)

    def count() -> None:
        for n in range(1, 100_001):
            ctx.progress(n, 100_000)

    ctx.step("count", count)
    assert memory.told[0] == 1
    assert memory.told[-1] == 100_000
    assert len(memory.told) < 50_000


@pytest.mark.parametrize("act", [lambda ctx: ctx.step("s", lambda: 1), lambda ctx: ctx.progress(1)])
def test_a_closing_executor_stops_the_job_there(memory: Memory, act: Callable[[JobContext], object]) -> None:
    with pytest.raises(Interrupted):
        act(context(memory, lambda: True))
    assert (memory.steps, memory.told) == ([], [])


def test_an_interruption_is_no_failure_that_a_job_could_hold_up() -> None:
    assert not issubclass(Interrupted, Exception)


def test_a_coded_error_passes_a_step_unchanged(memory: Memory) -> None:
    error = Refused("TP-JOB-006", "no")

    def refuse() -> None:
        raise error

    with pytest.raises(Refused) as raised:
        context(memory).step("s", refuse)
    assert raised.value is error


def test_after_a_failed_step_the_next_is_a_step_again(memory: Memory) -> None:
    ctx = context(memory)
    with pytest.raises(TrustplaneError, match="TP-JOB-005"):
        ctx.step("fails", lambda: 1 // 0)
    ctx.step("works", lambda: 1)
    assert memory.steps == ["fails", "works"]
