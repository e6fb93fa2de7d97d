"""Destroying a key through the door: what lay under it is gone from every copy, and what lies beside it stays."""

import threading

import pytest
from sqlalchemy import select

from trustplane.data.ingestion import DatasetSpec, ingest
from trustplane.kernel.identity import principals as people
from trustplane.kernel.ledger import crosscheck
from trustplane.kernel.ledger.events import Outcome
from trustplane.kernel.ledger.proofs import verify_receipt
from trustplane.kernel.target import Target
from trustplane.kernel.vault import destruction
from trustplane.kernel.vault.artifacts import seal, unseal
from trustplane.kernel.vault.destroying import destroy_key
from trustplane.kernel.vault.keyring import KeySpec, mint, release, unwrap_chain
from trustplane.kernel.vault.keys import place, unwrap
from trustplane.kernel.vault.tables import VaultKey
from trustplane.values.errors import Conflict, Refused, Tampered, TrustplaneError, Unavailable

PATIENCE = 60.0


def target_of(row):
    return Target("Key", row.id, project=row.project_id, attributes={"held": False})


def key_row(plane, **wanted):
    with plane.database.read() as session:
        return session.scalars(select(VaultKey).filter_by(**wanted)).one()


def material(plane, key_id):
    with plane.database.read() as session:
        return unwrap_chain(session, plane.keystore, key_id).material


def adding(plane, actor, project_key, spec, meanwhile=lambda: None):
    """Make a key under a project's key as the stages do: the parent is released first, and the row is written at the end."""
    with plane.operation(actor, "project.create", Target("Plane", "plane")) as op:
        with plane.database.read() as session:
            parent = release(op, session, plane.keystore, [project_key])[project_key]
        row, key = mint(parent, spec, plane.clock.now())
        meanwhile()
        op.session.add(row)
    return row, key


@pytest.fixture
def project(plane, owner):
    """The row of a project's key."""
    return key_row(plane, project_id=people.create_project(plane, owner, "credit"))


@pytest.fixture
def pair(plane, owner, project):
    """Two keys in the project: rows and keys."""
    return [adding(plane, owner, project.id, KeySpec("run", f"run:{n}", project.project_id)) for n in (1, 2)]


def test_a_destroyed_key_is_not_found_in_a_backup_either(plane, owner, project, pair):
    """The wrapped key from a backup, and the project's key as it is now: together they must not open it."""
    (backup, _), _ = pair
    destroy_key(plane, owner, target_of(backup), "asked for")
    with plane.database.read() as session:
        above = unwrap_chain(session, plane.keystore, project.id)
    with pytest.raises(Tampered, match="TP-VAULT-001"):
        unwrap(above, backup.wrapped, place(backup.id, backup.parent_id, backup.purpose))
    with pytest.raises(Unavailable, match="TP-VAULT-003"):
        plane.keystore.unwrap(project.root_id, project.wrapped, place(project.id, None, project.purpose))


def test_deep_down_too(plane, owner, project, pair):
    (middle, _), _ = pair
    deep, _ = adding(plane, owner, middle.id, KeySpec("run", "run:deep", project.project_id))
    beside, kept = adding(plane, owner, middle.id, KeySpec("run", "run:beside", project.project_id))
    destroy_key(plane, owner, target_of(deep), "asked for")
    with plane.database.read() as session:
        above = unwrap_chain(session, plane.keystore, project.id)
    with pytest.raises(Tampered):
        unwrap(above, middle.wrapped, place(middle.id, middle.parent_id, middle.purpose))
    assert material(plane, beside.id) == kept.material
    assert crosscheck.verify(plane).discrepancies == ()


def test_what_lies_beside_it_stays(plane, owner, project, pair, workspace):
    (doomed, _), (row, key) = pair
    made = seal(plane.blobs, key, [b"the content"], "run:2", plane.clock.now())
    before = plane.blobs.path(made.digest).read_bytes()
    others = {purpose: plane.system_key(purpose).material for purpose in ("log-signing", "model-signing", "token")}
    destroy_key(plane, owner, target_of(doomed), "asked for")
    assert {purpose: plane.system_key(purpose).material for purpose in others} == others
    with plane.database.read() as session:
        again = unwrap_chain(session, plane.keystore, row.id)
    assert b"".join(unseal(plane.blobs, again, made.digest, "run:2")) == b"the content"
    assert plane.blobs.path(made.digest).read_bytes() == before, "data is never touched"
    assert plane.keystore.roots() == (plane.keystore.current(),)
    assert crosscheck.verify(plane).discrepancies == ()


def test_a_key_made_meanwhile_under_a_key_that_was_renewed_is_refused_and_not_lost_in_silence(
    plane, owner, project, pair
):
    """A long ingestion: its project's key was released before a destruction, and its rows are written after it."""
    (doomed, _), _ = pair
    spec = KeySpec("run", "run:3", project.project_id)
    with pytest.raises(Conflict, match="TP-VAULT-019") as caught:
        adding(
            plane, owner, project.id, spec, meanwhile=lambda: destroy_key(plane, owner, target_of(doomed), "asked for")
        )
    assert "again" in caught.value.fix
    with plane.database.read() as session:
        assert session.scalars(select(VaultKey).where(VaultKey.subject == "run:3")).all() == []
    row, key = adding(plane, owner, project.id, spec)
    assert material(plane, row.id) == key.material


def test_a_key_made_meanwhile_under_a_key_that_was_destroyed_is_refused(plane, owner, project):
    spec = KeySpec("run", "run:3", project.project_id)
    with pytest.raises(Conflict, match="TP-VAULT-019"):
        adding(
            plane, owner, project.id, spec, meanwhile=lambda: destroy_key(plane, owner, target_of(project), "asked for")
        )


def test_a_key_made_meanwhile_stays_through_a_rotation(plane, owner, project):
    """A rotation re-wraps the project's key and does not change it."""
    spec = KeySpec("run", "run:3", project.project_id)
    row, key = adding(plane, owner, project.id, spec, meanwhile=lambda: plane.rotate_root(owner))
    assert material(plane, row.id) == key.material


def test_the_rows_of_a_dataset_version_are_gone_and_the_certificate_names_it(plane, cast, owner):
    spec = DatasetSpec("clients", "csv", ("dpv:CustomerSolvencyMonitoring",), "eu-gdpr:A6-1-b", 3650, source="tests")
    lines = b"".join(b"C%05d,p%d@mail.example,%d\n" % (n, n, 18 + n % 60) for n in range(50))
    ingest(plane, cast["data-steward"], "credit", spec, [b"customer_id,email,age\n" + lines])
    with plane.database.read() as session:
        rows = session.scalars(select(VaultKey).where(VaultKey.sensitivity == "identifier")).all()
    assert rows
    certificate, receipt = destroy_key(plane, owner, target_of(rows[0]), "the person asked for it")
    assert certificate["subjects"] == [rows[0].subject]
    assert rows[0].subject.startswith("dataset-version:")
    with plane.database.read() as session, pytest.raises(Unavailable, match="TP-VAULT-008") as caught:
        unwrap_chain(session, plane.keystore, rows[0].id)
    assert caught.value.exit == 1
    proven = verify_receipt(receipt, [plane.ledger.vkey])
    event = plane.ledger.feed(resource=target_of(rows[0]).name)[0]
    assert event.leaf.id.encode() in proven.entry
    assert event.payload["facts"] == certificate
    assert event.payload["facts"]["reason"] == "the person asked for it"


@pytest.mark.parametrize("reason", ["x" * 100_000, "\u202e\0\n<script>", "Ünïcödé \U0001f600"])
def test_any_reason_is_kept_as_text_of_bounded_length(plane, owner, project, reason):
    certificate, _ = destroy_key(plane, owner, target_of(project), reason)
    assert certificate["reason"] == reason[:2000]
    assert plane.ledger.feed(resource=target_of(project).name)[0].payload["facts"] == certificate


def test_two_who_destroy_one_key_at_once_get_one_certificate(plane, owner, project):
    certificates, errors = [], []
    start = threading.Barrier(4)

    def work():
        start.wait(PATIENCE)
        try:
            certificates.append(destroy_key(plane, owner, target_of(project), "asked for"))
        except TrustplaneError as error:
            errors.append(error.code)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(certificates) == 1
    assert errors == ["TP-VAULT-018"] * 3
    assert len(plane.keystore.roots()) == 1


def test_a_refusal_destroys_nothing_and_is_on_the_record(plane, owner):
    row = key_row(plane, purpose="token")
    before = plane.system_key("token").material
    with pytest.raises(Refused, match="TP-VAULT-018"):
        destroy_key(plane, owner, target_of(row), "for fun")
    assert plane.system_key("token").material == before
    event = plane.ledger.feed(resource=target_of(row).name)[0]
    assert event.leaf.outcome == Outcome.REFUSED
    with plane.database.read() as session:
        assert not destruction.unsettled(session, plane.keystore)
