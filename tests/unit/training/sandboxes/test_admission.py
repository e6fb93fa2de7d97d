"""A job that cannot be run as asked is refused before anything starts, and the refusal names no value."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from trustplane.training.sandboxes import admission
from trustplane.training.sandboxes.contract import Limits, SandboxJob
from trustplane.values.errors import BadInput


@pytest.fixture
def job(tmp_path: Path) -> SandboxJob:
    for name in ("output", "logs", "inputs"):
        (tmp_path / name).mkdir()
    return SandboxJob((sys.executable, "-c", "pass"), (tmp_path / "inputs",), tmp_path / "output", tmp_path / "logs")


def refused(job: SandboxJob) -> str:
    with pytest.raises(BadInput) as caught:
        admission.admitted(job)
    return caught.value.code


def test_paths_become_absolute_and_free_of_links(job: SandboxJob, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "inputs")
    ready = admission.admitted(replace(job, inputs=(link, link)))
    assert ready.inputs == ((tmp_path / "inputs").resolve(),)
    assert ready.command[0] == sys.executable, "a virtual environment is found through its link"


@pytest.mark.parametrize("command", [(), ("python3",), ("/no/such/program",), ("/etc",), (sys.executable, "a\0b")])
def test_the_command_starts_with_an_absolute_program(job: SandboxJob, command: tuple[str, ...]) -> None:
    assert refused(replace(job, command=command)) == "TP-RUN-004"


@pytest.mark.parametrize(
    ("inputs", "output", "logs"),
    [
        ("missing", "output", "logs"),
        ("inputs", "missing", "logs"),
        ("inputs", "output", "missing"),
        ("", "output", "logs"),
        ("output", "output", "logs"),
        ("inputs", "output", "output"),
        ("inputs", "output", "output/logs"),
        ("logs", "output", "logs"),
        ("inputs", "inputs/file", "logs"),
    ],
)
def test_folders_exist_and_lie_apart(job: SandboxJob, tmp_path: Path, inputs: str, output: str, logs: str) -> None:
    (tmp_path / "inputs" / "file").write_text("not a folder")
    if logs == "output/logs":
        (tmp_path / logs).mkdir()
    assert (
        refused(replace(job, inputs=(tmp_path / inputs,), output=tmp_path / output, logs=tmp_path / logs))
        == "TP-RUN-004"
    )


def test_the_output_folder_is_empty(job: SandboxJob) -> None:
    (job.output / "old").write_text("x")
    assert refused(job) == "TP-RUN-004"


@pytest.mark.parametrize(
    "limit", ["memory_bytes", "processes", "threads", "wall_seconds", "cpu_seconds", "open_files", "output_bytes"]
)
@pytest.mark.parametrize("value", [0, -1])
def test_limits_are_positive(job: SandboxJob, limit: str, value: int) -> None:
    assert refused(replace(job, limits=replace(Limits(), **{limit: value}))) == "TP-RUN-005"


def test_memory_is_enough_for_an_interpreter(job: SandboxJob) -> None:
    assert refused(replace(job, limits=Limits(memory_bytes=1 << 20))) == "TP-RUN-005"


@pytest.mark.parametrize(("name", "value"), [("A=B", "x"), ("", "x"), ("1A", "x"), ("A\n", "x"), ("TOKEN", "sesame\0")])
def test_a_bad_variable_is_named_and_its_value_is_not(job: SandboxJob, name: str, value: str) -> None:
    with pytest.raises(BadInput) as caught:
        admission.admitted(replace(job, environment={name: value}))
    assert caught.value.code == "TP-RUN-007"
    assert "sesame" not in str(caught.value.problem())


def test_the_environment_of_a_job_is_not_in_its_repr(job: SandboxJob) -> None:
    assert "sesame" not in repr(replace(job, environment={"TOKEN": "sesame"}))


def test_the_environment_inherits_nothing(job: SandboxJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTPLANE_SECRET", "sesame")
    environment = admission.environment_of(replace(job, environment={"SEED": "7", "LANG": "C"}))
    assert set(environment) == {
        "HOME",
        "JOBLIB_MULTIPROCESSING",
        "LANG",
        "PATH",
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONPATH",
        "SEED",
        "TMPDIR",
    }
    assert environment["LANG"] == "C"


@pytest.mark.parametrize("own", ["open('ran', 'w')", "1 / 0", None])
def test_what_an_environment_customises_is_imported_too(own: str | None, tmp_path: Path) -> None:
    if own is not None:
        (tmp_path / "sitecustomize.py").write_text(own)
    script = "import sys, threadpoolctl; sys.exit(threadpoolctl._HAS_PROCFS)"
    path = f"{admission.STARTUP}:{tmp_path}"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env={"PYTHONPATH": path}, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "ran").exists() is (own is not None and own.startswith("open"))


@pytest.mark.parametrize(
    ("hidden", "readable", "shown"),
    [
        ("keys", "library", False),
        ("library/keys", "library", True),
        ("library", "library/deep", True),
        ("inputs/keys", "library", True),
    ],
)
def test_a_job_that_would_show_a_hidden_path_is_refused(
    job: SandboxJob, tmp_path: Path, hidden: str, readable: str, shown: bool
) -> None:
    job = replace(job, hidden=(tmp_path / hidden,))
    if shown:
        with pytest.raises(BadInput, match="hidden"):
            admission.check_hidden(job, (tmp_path / readable,))
    else:
        admission.check_hidden(job, (tmp_path / readable,))
