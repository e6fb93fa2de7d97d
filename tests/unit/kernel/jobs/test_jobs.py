"""Submitting, watching and cancelling."""

import base64
import pickle
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from trustplane.kernel.jobs import Jobs, Progress, State
from trustplane.values.clock import SystemClock
from trustplane.values.errors import BadInput, Conflict, NotFound, Refused, TrustplaneError, Unavailable

PATIENCE = 60.0


def test_a_submitted_job_runs_and_returns(workspace) -> None:
    jobs = workspace.launched()
    job_id = jobs.submit("sample.where")
    status = jobs.wait(job_id, PATIENCE)
    assert (status.id, status.name, status.state) == (job_id, "sample.where", State.SUCCEEDED)
    assert status.returned() == {"pid": status.result["pid"], "id": job_id, "plane": "the plane", "due": "None"}
    assert status.created <= status.updated


def test_one_workspace_after_another_and_the_same_again(workspace, tmp_path_factory) -> None:
    """The registered jobs survive any number of launches in a process."""
    first = workspace.launched()
    job_id = first.submit("sample.where")
    first.wait(job_id, PATIENCE)
    first.close()
    with Jobs("sqlite://", tmp_path_factory.mktemp("other"), "another plane", SystemClock()) as other:
        other.launch()
        assert other.wait(other.submit("sample.where"), PATIENCE).returned()["plane"] == "another plane"
        assert len(other.list()) == 1
    again = workspace.launched()
    assert again.status(job_id).state is State.SUCCEEDED
    assert again.wait(again.submit("sample.where"), PATIENCE).state is State.SUCCEEDED


def test_two_workspaces_at_once_are_refused(workspace, tmp_path_factory) -> None:
    workspace.launched()
    with (
        Jobs("sqlite://", tmp_path_factory.mktemp("other"), None, SystemClock()) as other,
        pytest.raises(Conflict, match="TP-JOB-003"),
    ):
        other.launch()


def test_a_second_door_in_the_same_process_watches_and_takes_over(workspace, wait_until) -> None:
    first, second = workspace.launched(), workspace.launched()
    assert first.executing
    assert not second.executing
    assert second.wait(second.submit("sample.where"), PATIENCE).state is State.SUCCEEDED
    first.close()
    wait_until(lambda: second.executing, "the second executes")
    assert second.wait(second.submit("sample.where"), PATIENCE).state is State.SUCCEEDED


def test_without_an_executor_jobs_stay_queued(workspace) -> None:
    jobs = workspace.jobs()
    job_id = jobs.submit("sample.where")
    assert jobs.status(job_id).state is State.QUEUED
    with pytest.raises(Unavailable, match=r"TP-JOB-008 .* it is queued"):
        jobs.wait(job_id, 0)
    with pytest.raises(Unavailable, match="TP-JOB-008"):
        jobs.status(job_id).returned()
    jobs.launch()
    assert jobs.wait(job_id, PATIENCE).state is State.SUCCEEDED


@pytest.mark.parametrize("in_step", [True, False])
def test_a_coded_error_is_kept_whole(workspace, in_step: bool) -> None:
    jobs = workspace.launched()
    status = jobs.wait(jobs.submit("sample.refused", {"in_step": in_step}), PATIENCE)
    assert status.state is State.FAILED
    assert status.error
    assert {key: status.error[key] for key in ("code", "detail", "why", "fix", "facts")} == {
        "code": "TP-VALUE-001",
        "detail": "the name is not usable",
        "why": "it is too loud",
        "fix": "whisper",
        "facts": {"volume": 11},
    }
    with pytest.raises(Refused, match="the name is not usable: it is too loud"):
        status.returned()


@pytest.mark.parametrize("in_step", [True, False])
def test_a_foreign_error_keeps_its_type_and_place_and_not_its_words(workspace, in_step: bool, caplog) -> None:
    jobs = workspace.launched()
    status = jobs.wait(jobs.submit("sample.faulty", {"in_step": in_step}), PATIENCE)
    assert status.error
    assert status.error["code"] == "TP-JOB-005"
    assert status.error["facts"]["type"] == "KeyError"
    assert status.error["facts"]["place"].startswith("worker.py:")
    jobs.close()
    assert "SECRET-OF-A-ROW" not in str(status) + caplog.text
    assert "KeyError" in str(status)
    stored = b"".join(file.read_bytes() for file in workspace.folder.glob("jobs.sqlite*"))
    assert b"SECRET-OF-A-ROW" not in stored


def test_nothing_is_printed(workspace, capfd) -> None:
    jobs = workspace.launched()
    jobs.wait(jobs.submit("sample.where"), PATIENCE)
    jobs.close()
    assert capfd.readouterr() == ("", "")


def test_progress_comes_in_order_and_ends_with_the_job(workspace) -> None:
    jobs = workspace.launched()
    job_id = jobs.submit("sample.progress", {"steps": 4})
    expected = [Progress(n, 4, f"part {n}") for n in range(1, 5)]
    assert list(jobs.follow(job_id)) == expected, "while it runs"
    assert jobs.status(job_id).state is State.SUCCEEDED or jobs.wait(job_id, PATIENCE)
    assert list(jobs.follow(job_id)) == expected, "and after it ended"


def test_values_are_what_they_will_be_after_a_crash(workspace) -> None:
    """Tuples and whole-number keys do not survive JSON, so a step never returns them."""
    jobs = workspace.launched()
    assert jobs.wait(jobs.submit("sample.returns", {"what": "tuple"}), PATIENCE).returned() == {
        "step": [1, {"2": "two"}]
    }
    assert jobs.wait(jobs.submit("sample.returns", {"what": "nothing"}), PATIENCE).returned() == {"step": None}


@pytest.mark.parametrize("what", ["bytes", "nan"])
def test_a_step_that_returns_no_json_fails(workspace, what: str) -> None:
    jobs = workspace.launched()
    with pytest.raises(BadInput, match="TP-JOB-002 the result of step value is not JSON"):
        jobs.wait(jobs.submit("sample.returns", {"what": what}), PATIENCE).returned()


def test_a_step_may_submit_a_job(workspace) -> None:
    watcher = workspace.jobs()
    jobs = workspace.jobs(plane=watcher)
    jobs.launch()
    child = jobs.wait(jobs.submit("sample.submits", job_id="parent"), PATIENCE).returned()
    assert child == "parent:child"
    assert jobs.wait(child, PATIENCE).returned() == 1


def test_a_queued_job_is_taken_back(workspace) -> None:
    jobs = workspace.jobs()
    job_id = jobs.submit("sample.where")
    assert jobs.cancel(job_id).state is State.CANCELLED
    jobs.launch()
    assert jobs.wait(jobs.submit("sample.where"), PATIENCE).state is State.SUCCEEDED
    assert jobs.wait(job_id, PATIENCE).state is State.CANCELLED
    with pytest.raises(Unavailable, match=r"TP-JOB-008 .* it is cancelled"):
        jobs.status(job_id).returned()


def test_a_running_job_ends_at_its_next_step(workspace, wait_until) -> None:
    jobs = workspace.launched()
    job_id = jobs.submit("sample.five-steps", {"folder": str(workspace.folder), "hold_at": 2})
    wait_until(lambda: workspace.traces("step-2"), "the second step runs")
    assert jobs.cancel(job_id).state is State.CANCELLED
    workspace.go()
    jobs.close()
    assert workspace.traces("step-3") == []
    assert workspace.jobs().status(job_id).state is State.CANCELLED


def test_a_running_step_ends_at_its_next_progress(workspace, wait_until) -> None:
    jobs = workspace.launched()
    job_id = jobs.submit("sample.long-step", {"folder": str(workspace.folder)})
    wait_until(lambda: workspace.traces("count"), "the step runs")
    jobs.cancel(job_id)
    jobs.close()
    assert not (workspace.folder / "go").exists(), "nothing else ended the step, and closing waited for it"


def test_a_job_that_ended_is_not_cancelled(workspace) -> None:
    jobs = workspace.launched()
    job_id = jobs.submit("sample.where")
    jobs.wait(job_id, PATIENCE)
    assert jobs.cancel(job_id).state is State.SUCCEEDED


def test_the_same_id_is_the_same_job(workspace) -> None:
    jobs = workspace.launched()
    arguments = {"folder": str(workspace.folder)}
    assert jobs.submit("sample.five-steps", arguments, "ingest:1") == "ingest:1"
    first = jobs.wait("ingest:1", PATIENCE).returned()
    assert jobs.submit("sample.five-steps", arguments, "ingest:1") == "ingest:1"
    assert jobs.wait("ingest:1", PATIENCE).returned() == first
    assert len(workspace.traces("step-1")) == 1
    assert len(jobs.list()) == 1
    with pytest.raises(Conflict, match="TP-JOB-007"):
        jobs.submit("sample.five-steps", {"folder": "another"}, "ingest:1")


@pytest.mark.parametrize(
    ("name", "arguments", "job_id", "family", "code", "says"),
    [
        ("sample.wher", {}, None, NotFound, "TP-JOB-001", "did you mean 'sample.where'"),
        ("sample.progress", {}, None, BadInput, "TP-JOB-002", "missing a required argument: 'steps'"),
        ("sample.where", {"x": 1}, None, BadInput, "TP-JOB-002", "unexpected keyword argument 'x'"),
        ("sample.progress", {"steps": b"1"}, None, BadInput, "TP-JOB-002", "Object of type bytes"),
        ("sample.where", {}, "", BadInput, "TP-JOB-002", "the job id is not usable"),
        ("sample.where", {}, "a b", BadInput, "TP-JOB-002", "the job id is not usable"),
        ("sample.where", {}, "a" * 201, BadInput, "TP-JOB-002", "the job id is not usable"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_it_is_stored(
    tmp_path: Path,
    name: str,
    arguments: dict[str, object],
    job_id: str | None,
    family: type[TrustplaneError],
    code: str,
    says: str,
) -> None:
    with Jobs("sqlite://", tmp_path, None, SystemClock()) as jobs:
        with pytest.raises(family, match=says) as raised:
            jobs.submit(name, arguments, job_id)
        assert raised.value.code == code
        assert jobs.list() == ()


def test_an_unknown_id_is_not_found(workspace) -> None:
    jobs = workspace.jobs()
    for ask in (jobs.status, jobs.wait, jobs.cancel, lambda job_id: list(jobs.follow(job_id))):
        with pytest.raises(NotFound, match="TP-JOB-004"):
            ask("nobody")


def test_the_newest_jobs_come_first(workspace) -> None:
    jobs = workspace.jobs()
    ids = [jobs.submit("sample.where") for _ in range(3)]
    assert [status.id for status in jobs.list()] == ids[::-1]
    assert len(jobs.list(limit=2)) == 2


class _Bomb:
    """Unpickling it leaves a file behind."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.file,)


def test_a_pickle_in_the_database_is_not_read(workspace) -> None:
    """Whoever can write the jobs database cannot run code in the executor that way."""
    jobs = workspace.jobs()
    job_id = jobs.submit("sample.where")
    fired = workspace.folder / "fired"
    bomb = base64.b64encode(pickle.dumps(_Bomb(fired))).decode()
    postgres = workspace.url.startswith("postgresql")
    prefix = f'"{workspace.schema}".' if postgres else ""
    engine = create_engine(workspace.url if postgres else f"sqlite:///{workspace.folder / 'jobs.sqlite'}")
    with engine.begin() as connection:
        status = connection.execute(text(f"UPDATE {prefix}workflow_status SET serialization = 'py_pickle'"))
        inputs = connection.execute(text(f"UPDATE {prefix}workflow_input SET inputs = :bomb"), {"bomb": bomb})
        assert (status.rowcount, inputs.rowcount) == (1, 1)
    engine.dispose()
    jobs.launch()
    status = jobs.wait(job_id, PATIENCE)
    assert (status.state, status.name) == (State.FAILED, "unreadable")
    assert not fired.exists()
    assert pickle.loads(base64.b64decode(bomb)) is None
    assert fired.exists(), "the same bytes do fire when they are unpickled"


def test_the_database_and_the_lock_are_for_the_owner_alone(tmp_path: Path) -> None:
    with Jobs("sqlite://", tmp_path, None, SystemClock()) as jobs:
        jobs.launch()
        jobs.submit("sample.where")
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.glob("jobs.*")}
    assert {"jobs.sqlite", "jobs.lock"} <= modes.keys()
    assert set(modes.values()) == {0o600}


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    jobs = Jobs("postgresql+psycopg://ann:hunter2@127.0.0.1:1/nowhere", tmp_path, None, SystemClock())
    for ask in (jobs.launch, jobs.list):
        with pytest.raises(Unavailable, match="TP-JOB-009") as raised:
            ask()
        assert "hunter2" not in str(raised.value) + repr(jobs)
        assert raised.value.__context__ is None or raised.value.__suppress_context__
    jobs.close()


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_file_is_said_to_be_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "jobs.sqlite").write_bytes(content)
    jobs = Jobs("sqlite://", tmp_path, None, SystemClock())
    with pytest.raises(Unavailable, match="TP-JOB-009"):
        jobs.list()
    jobs.close()


def test_another_kind_of_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="TP-STORE-001"):
        Jobs("mysql://localhost/x", tmp_path, None, SystemClock())
