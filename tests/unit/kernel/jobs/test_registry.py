"""Jobs by name."""

import pytest

from trustplane.kernel.jobs import registry
from trustplane.kernel.jobs.registry import checked, find, job
from trustplane.values.errors import BadInput, NotFound


@pytest.fixture(autouse=True)
def _alone(monkeypatch) -> None:
    monkeypatch.setattr(registry, "_jobs", {})


def test_a_job_is_found_by_its_name_and_is_still_the_function() -> None:
    @job("stage.work")
    def work(ctx: object, *, n: int) -> int:
        return n + 1

    assert find("stage.work") is work
    assert work(None, n=1) == 2


def test_a_name_is_taken_once() -> None:
    job("stage.work")(test_a_job_is_found_by_its_name_and_is_still_the_function)
    with pytest.raises(ValueError, match="taken by"):
        job("stage.work")(test_a_name_is_taken_once)


def test_the_same_function_loaded_again_replaces_itself() -> None:
    def load() -> object:
        def work(ctx: object) -> None: ...

        return job("stage.work")(work)

    load()
    again = load()
    assert find("stage.work") is again


@pytest.mark.parametrize("name", ["", "Stage.work", "stage work", "../work"])
def test_a_name_is_plain(name: str) -> None:
    with pytest.raises(BadInput, match="TP-VALUE-001"):
        job(name)


def test_an_unknown_name_is_told_with_its_neighbours() -> None:
    job("stage.work")(test_a_name_is_taken_once)
    with pytest.raises(NotFound, match=r"TP-JOB-001 .* did you mean 'stage.work'"):
        find("stage.wrok")


def test_arguments_are_taken_as_they_are_stored() -> None:
    @job("stage.work")
    def work(ctx: object, *, pair: object, deep: object = None) -> None: ...

    assert checked("stage.work", {"pair": (1, 2)}) == {"pair": [1, 2]}


@pytest.mark.parametrize("arguments", [{}, {"pair": 1, "ctx": 2}, {"pair": 1, "other": 2}])
def test_arguments_that_do_not_fit_are_refused(arguments: dict[str, object]) -> None:
    @job("stage.work")
    def work(ctx: object, *, pair: object) -> None: ...

    with pytest.raises(BadInput, match="TP-JOB-002"):
        checked("stage.work", arguments)
