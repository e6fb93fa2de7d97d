"""Destroying keys and turning the root: what is gone is gone from backups too, and a crash between any two steps loses nothing."""

import shutil

import pytest
from sqlalchemy import select

from trustplane.kernel.identity import principals as people
from trustplane.kernel.ledger import crosscheck
from trustplane.kernel.ledger.proofs import verify_receipt
from trustplane.kernel.operation import AccessDenied
from trustplane.kernel.plane import Plane
from trustplane.kernel.target import Target
from trustplane.kernel.vault import destruction
from trustplane.kernel.vault.destroying import destroy_key
from trustplane.kernel.vault.keyring import unwrap_chain
from trustplane.kernel.vault.keystores.keyfile import KeyFile
from trustplane.kernel.vault.tables import VaultKey
from trustplane.values.errors import Refused, TrustplaneError, Unavailable


class Crash(BaseException):
    """The process ends here: no handler of the product may catch it."""


@pytest.fixture
def project(plane, owner):
    """The target of a project's key."""
    project_id = people.create_project(plane, owner, "credit")
    with plane.database.read() as session:
        row = session.scalar(select(VaultKey).where(VaultKey.project_id == project_id))
    return target_of(row)


def target_of(row):
    return Target("Key", row.id, project=row.project_id, attributes={"held": False})


def materials(plane):
    with plane.database.read() as session:
        ids = session.scalars(select(VaultKey.id).where(VaultKey.wrapped.is_not(None))).all()
        return {one: unwrap_chain(session, plane.keystore, one).material for one in ids}


def test_a_rotation_keeps_every_key_and_moves_no_data(plane, owner, project, workspace):
    before, root = materials(plane), plane.keystore.current()
    files = {p: p.stat().st_mtime_ns for p in (workspace.folder / "blobs").rglob("*") if p.is_file()}
    assert plane.rotate_root(owner) == plane.keystore.current() != root
    assert materials(plane) == before
    assert plane.keystore.roots() == (plane.keystore.current(),)
    assert {p: p.stat().st_mtime_ns for p in (workspace.folder / "blobs").rglob("*") if p.is_file()} == files
    assert crosscheck.verify(plane).discrepancies == ()


def test_a_backup_of_the_database_is_closed_by_a_rotation(plane, owner, workspace, tmp_path):
    """The key file that remains does not open what was wrapped before."""
    with plane.database.read() as session:
        old = session.scalar(select(VaultKey).where(VaultKey.purpose == "token"))
    plane.rotate_root(owner)
    with pytest.raises(Unavailable):
        plane.keystore.unwrap(old.root_id, old.wrapped, b"")


@pytest.mark.parametrize("point", ["begin_rotation", "wrap", "finish_rotation"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_in_a_rotation_loses_nothing(workspace, point, when, monkeypatch):
    plane = Plane(workspace)
    before = materials(plane)
    whole = getattr(KeyFile, point)

    def crash(self, *arguments):
        if when == "after":
            whole(self, *arguments)
        raise Crash

    from trustplane.kernel.identity.actors import PLANE_ACTOR

    monkeypatch.setattr(KeyFile, point, crash)
    with pytest.raises(Crash):
        plane.rotate_root(PLANE_ACTOR)
    monkeypatch.undo()
    plane.close()
    settled = point == "finish_rotation" and when == "after"
    if (point, when) == ("begin_rotation", "before") or settled:
        again = Plane(workspace)
    else:
        with pytest.warns(UserWarning, match="cut short"):
            again = Plane(workspace)
    with again:
        assert materials(again) == before
        assert len(again.keystore.roots()) == 1
        assert crosscheck.verify(again).discrepancies == ()


def test_a_destroyed_key_opens_nothing_and_the_certificate_says_so(plane, owner, project):
    certificate, receipt = destroy_key(plane, owner, project, "the contract ended")
    with plane.database.read() as session, pytest.raises(Unavailable) as told:
        unwrap_chain(session, plane.keystore, project.id)
    assert told.value.code == "TP-VAULT-008"
    assert certificate["keys"] == [project.id]
    assert certificate["reason"] == "the contract ended"
    assert certificate["root"] == plane.keystore.current()
    assert "plaintext that was released before" in certificate["not_covered"]
    proven = verify_receipt(receipt, [plane.ledger.vkey])
    assert b"key.destroy" in proven.entry
    assert crosscheck.verify(plane).discrepancies == ()


def test_what_lies_below_is_destroyed_with_it(plane, owner, project):
    from trustplane.kernel.vault.keyring import KeySpec, mint

    with plane.database.write() as session:
        parent = unwrap_chain(session, plane.keystore, project.id)
        row, key = mint(parent, KeySpec("dataset", "dataset-version:v"), plane.clock.now())
        lower, _ = mint(key, KeySpec("column", "dataset-version:v"), plane.clock.now())
        session.add_all([row, lower])
    certificate, _ = destroy_key(plane, owner, project, "")
    assert set(certificate["keys"]) == {project.id, row.id, lower.id}
    assert "dataset-version:v" in certificate["subjects"]


def test_a_restored_backup_cannot_be_opened_with_the_key_file_that_remains(founded, tmp_path):
    """The database is restored from a copy made before; the rows of another kind of database would be the same."""
    from trustplane.kernel.identity.actors import PLANE_ACTOR
    from trustplane.kernel.settings import Settings, read_workspace

    shutil.copytree(founded("sqlite"), tmp_path / "workspace")
    workspace = read_workspace(tmp_path / "workspace", Settings())
    with Plane(workspace) as plane:
        project_id = people.create_project(plane, PLANE_ACTOR, "credit")
        with plane.database.read() as session:
            key = session.scalar(select(VaultKey).where(VaultKey.project_id == project_id))
    shutil.copy(workspace.folder / "state.sqlite", tmp_path / "backup.sqlite")
    with Plane(workspace) as plane:
        destroy_key(plane, PLANE_ACTOR, target_of(key), "")
    for beside in workspace.folder.glob("state.sqlite*"):
        beside.unlink()
    shutil.copy(tmp_path / "backup.sqlite", workspace.folder / "state.sqlite")
    with pytest.raises(TrustplaneError) as told:
        Plane(workspace)
    assert told.value.code == "TP-VAULT-003"


def test_the_planes_own_keys_are_never_destroyed(plane, owner):
    with plane.database.read() as session:
        row = session.scalar(select(VaultKey).where(VaultKey.purpose == "log-signing"))
    with pytest.raises(Refused) as told:
        destroy_key(plane, owner, target_of(row), "")
    assert told.value.code == "TP-VAULT-018"


def test_no_key_is_destroyed_twice(plane, owner, project):
    destroy_key(plane, owner, project, "")
    with pytest.raises(Refused):
        destroy_key(plane, owner, project, "")


@pytest.mark.parametrize("role", ["scientist", "reviewer", "operator", "auditor", "consumer"])
def test_only_owner_and_steward_destroy_and_only_an_owner_rotates(plane, cast, role):
    with plane.database.read() as session:
        row = session.scalar(select(VaultKey).where(VaultKey.purpose == "project"))
    with pytest.raises(AccessDenied):
        destroy_key(plane, cast[role], target_of(row), "")
    with pytest.raises(AccessDenied):
        plane.rotate_root(cast[role])
    with pytest.raises(AccessDenied):
        plane.rotate_root(cast["data-steward"])
    with plane.database.read() as session:
        assert not destruction.unsettled(session, plane.keystore)
