"""Asking for a run: who may, for what, and what is refused before anything starts."""

from datetime import timedelta

import pytest

from trustplane.data.views import ViewSpec, create_view
from trustplane.kernel.identity import principals as people
from trustplane.kernel.ledger.evidence import events_about
from trustplane.kernel.operation import AccessDenied, Idempotency
from trustplane.training.runs import RunSpec, find_run, open_output, resume_runs, start_run
from trustplane.training.sandboxes.contract import GIB, MIB, Limits
from trustplane.training.tables import Run
from trustplane.values.errors import Conflict, NotFound, TrustplaneError, Unavailable

CODE = {"train.py": b"open('ran', 'w').close()"}
HOUR = 3600


@pytest.fixture
def ask(plane, cast):
    """Ask for a run, as somebody, with something said; nothing that is asked for here is executed."""

    def start(who="scientist", project="credit", **said):
        return start_run(plane, cast[who], project, RunSpec(**{"script": "train.py", "files": CODE} | said))

    return start


@pytest.fixture
def refused(plane, ask):
    """The error of asking, once nothing came of it."""

    def refuse(**said):
        with pytest.raises(TrustplaneError) as caught:
            ask(**said)
        with plane.database.read() as session:
            assert session.query(Run).count() == 0
        return caught.value

    return refuse


def refused_at_once(**said):
    """The error of asking, where nothing is asked of the plane yet: there is none."""
    with pytest.raises(TrustplaneError) as caught:
        start_run(None, None, "credit", RunSpec(**{"script": "train.py", "files": CODE} | said))
    return caught.value


# --- who may


def test_who_may_not_run_is_denied_on_record(plane, cast, refused) -> None:
    for role in ("data-steward", "reviewer", "operator", "auditor", "consumer"):
        assert isinstance(refused(who=role), AccessDenied)
        (newest,) = plane.ledger.feed(limit=1)
        assert (newest.leaf.action, newest.leaf.outcome, newest.leaf.actor) == ("run.start", "denied", cast[role].id)


def test_an_owner_runs_and_does_not_open_rows(ask, settled, view) -> None:
    """Owners see metadata, never rows: a run of theirs opens no view."""
    assert settled(ask(who="owner")).state == "done"
    row = settled(ask(who="owner", views=(view,)))
    assert (row.state, row.ended[:13]) == ("failed", "TP-POLICY-020")


def test_a_token_without_the_scope_starts_nothing(plane, cast) -> None:
    short = plane.stand_in(cast["scientist"].id, ("run.read",))
    with pytest.raises(AccessDenied):
        start_run(plane, short, "credit", RunSpec("train.py", CODE))


def test_a_role_in_one_project_is_none_in_another(plane, cast, refused) -> None:
    people.create_project(plane, cast["owner"], "other")
    assert isinstance(refused(project="other"), AccessDenied)


def test_who_may_not_run_learns_no_name_of_a_view(plane, view, refused) -> None:
    error = refused(who="consumer", views=("peopel",))
    assert isinstance(error, AccessDenied)
    assert "people" not in str(error.problem())


# --- views


def test_a_view_of_another_project_is_not_found(plane, cast, view, refused) -> None:
    people.create_project(plane, cast["owner"], "other")
    with pytest.raises(NotFound) as caught:
        start_run(plane, cast["owner"], "other", RunSpec("train.py", CODE, views=(view,)))
    assert caught.value.code == "TP-DATA-035"
    assert refused(views=("peopel",)).problem()["why"] == "did you mean 'people'?"


def test_a_view_that_is_not_there_is_refused(refused, view) -> None:
    for name in ("", "../people", "people.parquet", "x" * 500, "\x1b[2J"):
        error = refused(views=(name,))
        assert error.code == "TP-DATA-035"
        assert str(error).isprintable()


def test_a_view_that_has_expired_gives_no_rows(plane, cast, clients, ask, settled, later) -> None:
    spec = ViewSpec("short", "clients", ("age",), "dpv:CustomerSolvencyMonitoring", timedelta(minutes=1))
    create_view(plane, cast["data-steward"], "credit", spec)
    later(minutes=2)
    row = settled(ask(views=("short",)))
    assert (row.state, row.outputs) == ("failed", {})
    assert row.ended.startswith("TP-POLICY-020 view.open is denied")


def test_a_view_by_its_id_is_recorded_by_its_name(plane, cast, clients, ask, settled) -> None:
    spec = ViewSpec("ages", "clients", ("age",), "dpv:CustomerSolvencyMonitoring", timedelta(days=1))
    view_id = create_view(plane, cast["data-steward"], "credit", spec)
    row = settled(ask(views=(view_id, "ages")))
    assert (row.state, list(row.inputs)) == ("done", ["ages"])


# --- what is asked


@pytest.mark.parametrize(
    "parameters",
    [
        {"a b": 1},
        {"": 1},
        {"1a": 1},
        {"x" * 65: 1},
        {"a": None},
        {"a": [1]},
        {"a": {"b": 1}},
        {"a": b"x"},
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": 2**53},
        {"a": -(2**53)},
        {"a": 10**1000},
        {"a": "x" * 1001},
        {"a": "x\0y"},
        {"a": "\ud800"},
        {f"p{n}": n for n in range(201)},
    ],
    ids=str,
)
def test_parameters_that_cannot_be_recorded_are_refused(parameters) -> None:
    assert refused_at_once(parameters=parameters).code == "TP-RUN-015"


def test_the_value_of_a_bad_parameter_is_not_repeated() -> None:
    assert "sesame" not in str(refused_at_once(parameters={"token": "sesame" * 200}).problem())


@pytest.mark.parametrize(
    "limits",
    [
        {"memory_bytes": 64 * MIB - 1},
        {"memory_bytes": 1025 * GIB},
        {"processes": 0},
        {"processes": 4097},
        {"threads": 0},
        {"threads": 65_537},
        {"wall_seconds": 0},
        {"wall_seconds": -1},
        {"wall_seconds": 49 * HOUR},
        {"wall_seconds": float("nan")},
        {"cpu_seconds": float("inf")},
        {"open_files": 15},
        {"output_bytes": 0},
        {"output_bytes": 1025 * GIB},
        {"output_files": 0},
        {"output_files": 100_001},
        {"log_bytes": 0},
        {"log_bytes": 64 * MIB + 1},
    ],
    ids=str,
)
def test_limits_out_of_bounds_are_refused(limits) -> None:
    assert refused_at_once(limits=Limits(**limits)).code == "TP-RUN-016"


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_bounds_is_refused(seed) -> None:
    assert refused_at_once(seed=seed).code == "TP-RUN-016"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"files": {}}, "TP-RUN-011"),
        ({"script": "other.py"}, "TP-RUN-011"),
        ({"files": CODE | {"../x": b""}}, "TP-RUN-011"),
        ({"git": {"commit": "HEAD", "dirty": False}}, "TP-RUN-012"),
        ({"sandbox": "sandlok"}, "TP-RUN-008"),
        ({"sandbox": ""}, "TP-RUN-008"),
    ],
)
def test_what_cannot_be_run_is_refused(said, code) -> None:
    assert refused_at_once(**said).code == code


def test_the_code_is_in_no_repr() -> None:
    assert "sesame" not in repr(RunSpec("train.py", {"train.py": b"sesame"}))


def test_the_same_key_is_the_same_run(plane, cast) -> None:
    key, spec = Idempotency("k", "r"), RunSpec("train.py", CODE)
    run_id = start_run(plane, cast["scientist"], "credit", spec, key)
    assert plane.replayed(cast["scientist"], key) == run_id
    with pytest.raises(Conflict):
        plane.replayed(cast["scientist"], Idempotency("k", "another request"))


# --- where nothing can hold a script in


def test_without_landlock_a_run_is_refused_with_what_to_do(plane, refused, monkeypatch) -> None:
    monkeypatch.setattr("trustplane.training.sandboxes.sandlock.kernel_abi", lambda: 0)
    error = refused()
    assert isinstance(error, Unavailable)
    assert (error.code, error.exit, error.status) == ("TP-RUN-001", 3, 503)
    assert "Landlock" in error.why
    assert "Linux 6.12" in error.fix
    (newest,) = plane.ledger.feed(limit=1)
    assert (newest.leaf.action, newest.leaf.outcome) == ("run.start", "refused")
    assert newest.payload["facts"]["code"] == "TP-RUN-001"


def test_a_machine_that_only_says_that_it_can_is_found_out(refused, monkeypatch) -> None:
    """A trial script that is not held in ends with 3; here every trial does."""
    monkeypatch.setattr("trustplane.training.sandboxes.sandlock._PROBE", "import sys; sys.exit(3)")
    error = refused()
    assert error.code == "TP-RUN-001"
    assert "did not hold a script in" in error.why


# --- going without


@pytest.mark.filterwarnings("ignore::trustplane.values.unsafe.InsecureStandIn")
class TestWithoutASandbox:
    """An action of its own: an owner's, with a reason, on record."""

    def test_an_owner_does_so_with_a_reason_on_record(self, plane, ask, settled) -> None:
        row = settled(ask(who="owner", sandbox="unsafe-none", reason=" the kernel\nhas no Landlock "))
        assert (row.state, row.sandbox, row.reason) == ("done", "unsafe-none", "the kernel\nhas no Landlock")
        with plane.database.read() as session:
            (event,) = events_about(session, f"Run::{row.id}", "run.start-unsandboxed")
        facts = plane.ledger.get(event).payload["facts"]
        assert (facts["sandbox"], facts["reason"]) == ("unsafe-none", "the kernel\nhas no Landlock")

    def test_nobody_else_does(self, refused) -> None:
        for role in ("scientist", "data-steward", "operator", "reviewer", "auditor", "consumer"):
            error = refused(who=role, sandbox="unsafe-none", reason="in a hurry")
            assert isinstance(error, AccessDenied)
            assert "unsandboxed-owner" in error.policies

    @pytest.mark.parametrize("reason", ["", " \t\n", "x" * 2001, "a\0b", "\ud800"])
    def test_without_a_usable_reason_it_is_refused(self, reason) -> None:
        assert refused_at_once(sandbox="unsafe-none", reason=reason).code == "TP-RUN-013"

    def test_a_reason_does_not_make_a_sandboxed_run_an_unsafe_one(self, ask, settled) -> None:
        row = settled(ask(reason="for no reason"))
        assert (row.sandbox, row.reason) == ("sandlock", "")


# --- looking at runs


def test_a_run_is_of_its_project(plane, cast, queue) -> None:
    run_id, row = queue("pass")
    people.create_project(plane, cast["owner"], "other")
    with plane.database.read() as session:
        assert find_run(session, row.project_id, run_id).id == run_id
        for project, run in (("elsewhere", run_id), (row.project_id, "x"), (row.project_id, "")):
            with pytest.raises(NotFound) as caught:
                find_run(session, project, run)
            assert caught.value.code == "TP-RUN-010"
    with pytest.raises(NotFound):
        open_output(plane, cast["owner"], "other", run_id, "log")


def test_who_may_not_open_an_output_is_denied(plane, cast, queue) -> None:
    run_id, _ = queue("pass")
    for role in ("owner", "data-steward", "operator", "consumer"):
        with pytest.raises(AccessDenied):
            open_output(plane, cast[role], "credit", run_id, "log")


def test_a_run_that_has_not_ended_has_no_output(plane, cast, queue) -> None:
    run_id, _ = queue("pass")
    for path in ("log", "model", "", "../log", "/etc/passwd", "\x1b[2J", "\ud800", "x" * 9000):
        with pytest.raises(NotFound) as caught:
            open_output(plane, cast["scientist"], "credit", run_id, path)
        assert (caught.value.code, caught.value.why) == ("TP-RUN-014", "its state is queued")
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 300


def test_every_opening_of_an_output_is_on_record(plane, cast, run, output) -> None:
    row = run("open('model', 'w').write('x')")
    assert output(row, "model") == b"x"
    with plane.database.read() as session:
        (event,) = events_about(session, f"Run::{row.id}", "run.open")
    opened = plane.ledger.get(event)
    assert opened.leaf.actor == cast["scientist"].id
    assert opened.payload["facts"] == {"output": "model"}
    assert opened.payload["refers"] == {"artifact": row.outputs["model"]["digest"]}


# --- a crash between the record of a run and its job


def test_a_run_whose_job_was_lost_is_asked_for_again(plane, ask, settled, monkeypatch) -> None:
    with monkeypatch.context() as crash:
        crash.setattr(plane, "start_job", lambda *_: None)
        run_id = ask()
    assert plane.jobs.list() == ()
    assert resume_runs(plane) == 1
    assert settled(run_id).state == "done"
    assert resume_runs(plane) == 0


def test_a_run_whose_job_is_there_is_not_run_twice(plane, queue, begin) -> None:
    run_id, _ = queue("open('ran', 'w').close()")
    assert resume_runs(plane) == 1
    assert resume_runs(plane) in {0, 1}
    assert begin(run_id).state == "done"
    with plane.database.read() as session:
        assert len(events_about(session, f"Run::{run_id}", "job.finish")) == 1
