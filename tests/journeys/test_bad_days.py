"""What happens to a workspace on a bad day: a full disk, two processes at once, a damaged database, a lost key."""

import os
import shutil
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest

from trustplane.data.ingestion import DatasetSpec, ingest
from trustplane.data.tables import DatasetVersion
from trustplane.kernel.plane import Plane
from trustplane.kernel.settings import Settings
from trustplane.values.errors import TrustplaneError, Unavailable

SPEC = DatasetSpec("clients", "csv", ("dpv:CustomerSolvencyMonitoring",), "eu-gdpr:A6-1-b", 3650, source="the tests")
USER_NAMESPACE = (
    subprocess.run(["unshare", "-Urm", "true"], capture_output=True).returncode == 0
    if shutil.which("unshare")
    else False
)


def table(rows):
    yield b"id,value\n"
    for n in range(rows):
        yield b"%d,%s\n" % (n, os.urandom(32).hex().encode())


def run(script, *arguments, prefix=(), **environment):
    return subprocess.run(
        [*prefix, sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
    )


@pytest.mark.skipif(not USER_NAMESPACE, reason="no user namespaces, in which a small disk could be mounted")
def test_a_full_disk_during_ingestion_loses_nothing(founded, tmp_path):
    """On a disk of 12 MiB of its own, twice over: the second time everything that was there still is, and verifies."""
    script = """
    import shutil, subprocess, sys
    from pathlib import Path
    disk, template = Path(sys.argv[1]), sys.argv[2]
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(disk)], check=True)
    folder = disk / "workspace"
    shutil.copytree(template, folder)

    import os
    from trustplane.data.ingestion import DatasetSpec, ingest
    from trustplane.data.tables import DatasetVersion
    from trustplane.kernel.identity import principals as people
    from trustplane.kernel.identity.authentication import load_actor
    from trustplane.kernel.identity.scopes import find_project, project_target
    from trustplane.kernel.identity.tables import Principal
    from trustplane.kernel.ledger import crosscheck
    from trustplane.kernel.plane import Plane
    from trustplane.values.errors import TrustplaneError
    from sqlalchemy import func, select

    def table(rows):
        yield b"id,value\\n"
        for n in range(rows):
            yield b"%d,%s\\n" % (n, os.urandom(32).hex().encode())

    spec = DatasetSpec("clients", "csv", ("dpv:CustomerSolvencyMonitoring",), "eu-gdpr:A6-1-b", 3650, source="the tests")
    with Plane.open(folder) as plane:
        with plane.database.read() as session:
            owner = load_actor(session, session.scalar(select(Principal)), None)
        people.create_project(plane, owner, "credit")
        with plane.database.read() as session:
            scope = project_target(find_project(session, "credit"))
        steward = people.create_principal(plane, owner, people.PrincipalSpec("user", "steward"))
        people.grant(plane, owner, steward, "data-steward", scope)
        steward = plane.stand_in(steward, ("*",))
        ingest(plane, steward, "credit", spec, table(100))
        try:
            ingest(plane, steward, "credit", spec, table(300_000))
        except TrustplaneError as error:
            print(error.code, flush=True)
            print(error, flush=True)
    with Plane.open(folder) as plane:
        with plane.database.read() as session:
            print("versions", session.scalar(select(func.count()).select_from(DatasetVersion)))
        report = crosscheck.verify(plane)
        print("discrepancies", len(report.discrepancies))
        print("left", [p.name for p in folder.rglob("*") if p.is_file() and (p.name.startswith("tmp") or p.suffix in {".tmp", ".part"})])
        ingest(plane, steward, "credit", spec, table(50))
        print("goes on")
    """
    disk = tmp_path / "disk"
    disk.mkdir()
    done = run(script, disk, founded("sqlite"), prefix=("unshare", "-Urm"), TMPDIR=str(disk))
    assert done.returncode == 0, done.stdout + done.stderr
    code, *_, versions, discrepancies, left, last = done.stdout.strip().splitlines()
    assert code in {"TP-STORE-004", "TP-VAULT-012"}, done.stdout
    assert (versions, discrepancies, left, last) == ("versions 1", "discrepancies 0", "left []", "goes on")


def test_two_processes_on_one_workspace_keep_one_log(workspace):
    """Each of two processes makes 25 projects at the same time; every event is in one tree that verifies."""
    script = """
    import sys
    from pathlib import Path
    from trustplane.kernel.identity import principals as people
    from trustplane.kernel.identity.authentication import load_actor
    from trustplane.kernel.identity.tables import Principal
    from trustplane.kernel.plane import Plane
    from sqlalchemy import select

    with Plane.open(Path(sys.argv[1])) as plane:
        with plane.database.read() as session:
            owner = load_actor(session, session.scalar(select(Principal).where(Principal.name == "ada")), None)
        print("open", flush=True)
        sys.stdin.readline()
        for n in range(25):
            people.create_project(plane, owner, f"{sys.argv[2]}-{n}")
    """
    both = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script), str(workspace.folder), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TRUSTPLANE_DATABASE_URL": workspace.database_url},
        )
        for name in ("left", "right")
    ]
    for process in both:
        assert process.stdout.readline() == "open\n"
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    from trustplane.kernel.ledger import crosscheck

    with Plane(workspace) as plane:
        report = crosscheck.verify(plane)
        made = [e for e in plane.ledger.feed(limit=200) if e.leaf.action == "project.create"]
    assert report.discrepancies == ()
    assert len(made) == 50


@pytest.mark.parametrize("keep", [0, 100, 4096, 0.5, 0.99])
def test_a_truncated_database_is_said_to_be_damaged(founded, tmp_path, keep):
    """Whatever is left of the file, opening or verifying says so with a stable code; nothing is written over it."""
    folder = tmp_path / "workspace"
    shutil.copytree(founded("sqlite"), folder)
    file = folder / "state.sqlite"
    for beside in folder.glob("state.sqlite-*"):
        beside.unlink()
    size = file.stat().st_size
    os.truncate(file, keep if isinstance(keep, int) else int(size * keep))
    from trustplane.kernel.ledger import crosscheck

    with pytest.raises(TrustplaneError) as told, Plane.open(folder, settings=Settings()) as plane:
        crosscheck.verify(plane).require_sound()
    assert told.value.code in {"TP-STORE-002", "TP-STORE-007", "TP-STORE-008", "TP-LEDGER-018"}
    assert told.value.fix


def test_a_lost_key_file_is_said_to_be_lost(founded, tmp_path):
    folder = tmp_path / "workspace"
    shutil.copytree(founded("sqlite"), folder)
    (folder / "keys" / "root.json").rename(tmp_path / "root.json")
    with pytest.raises(Unavailable) as told:
        Plane.open(folder, settings=Settings())
    assert told.value.code == "TP-VAULT-004"
    assert "restore" in told.value.fix
    assert not (folder / "keys" / "root.json").exists()
    (tmp_path / "root.json").rename(folder / "keys" / "root.json")
    with Plane.open(folder, settings=Settings()) as plane:
        assert plane.system_key("token")


def test_the_key_of_another_workspace_opens_nothing(founded, tmp_path):
    from trustplane.kernel.founding import found

    folder = tmp_path / "workspace"
    shutil.copytree(founded("sqlite"), folder)
    other = found(tmp_path / "other", "bo", settings=Settings()).workspace
    shutil.copy(other.key_file, folder / "keys" / "root.json")
    with pytest.raises(TrustplaneError) as told:
        Plane.open(folder, settings=Settings())
    assert told.value.code == "TP-VAULT-003"


def test_unicode_goes_through(plane, cast):
    spec = replace(SPEC, source="Stra\u00dfe \u4e16\u754c \U0001f600 \u202eevil")
    rows = "n\u00famero,\u540d\u524d\n1,\u4e16\u754c\n2,\U0001f600\n".encode()
    version = ingest(plane, cast["data-steward"], "credit", spec, [rows])

    with plane.database.read() as session:
        held = session.get_one(DatasetVersion, version.version_id)
    assert held.rows == 2
    assert list(held.columns["types"]) == ["n\u00famero", "\u540d\u524d"]
