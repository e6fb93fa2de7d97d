"""What was changed behind the log's back is found and named; what is as the log says, or cannot be known any more, is not accused."""

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from trustplane.kernel.identity.principals import (
    PrincipalSpec,
    create_environment,
    create_principal,
    create_project,
    disable_principal,
    grant,
    revoke,
)
from trustplane.kernel.identity.tables import Project
from trustplane.kernel.ledger.crosscheck import governed_tables, verify
from trustplane.kernel.ledger.divergence import Kind
from trustplane.kernel.ledger.events import Entry, Event, Outcome
from trustplane.kernel.ledger.notes import Checkpoint, Signer, sign
from trustplane.kernel.ledger.trail import LISTED
from trustplane.kernel.ledger.writing import insert_entries
from trustplane.kernel.target import PLANE
from trustplane.kernel.vault.tables import VaultBlob
from trustplane.values.clock import SystemClock
from trustplane.values.errors import Tampered
from trustplane.values.ids import new_id


@pytest.fixture
def worked(plane, owner):
    """A plane in which things were made, changed and taken back, with an object, all in the tree."""
    create_project(plane, owner, "lending")
    create_environment(plane, owner, "lending", "staging")
    user = create_principal(plane, owner, PrincipalSpec("user", "grace"))
    binding = grant(plane, owner, user, "auditor", PLANE)
    revoke(plane, owner, binding)
    disable_principal(plane, owner, user)
    for content in (b"one", b"two"):
        with plane.operation(owner, "plane.configure", PLANE) as op, plane.blobs.writer() as sink:
            sink.write(content)
            digest = sink.commit()
            op.session.add(
                VaultBlob(digest=digest, size=3, subject=f"test:{content.decode()}", created=plane.clock.now())
            )
    plane.ledger.sequencer.integrate()
    return plane


def alter(plane, statement, **values):
    """Change the database behind the log's back."""
    with plane.database.connection() as connection:
        done = connection.execute(text(statement), values)
        assert done.rowcount != 0, "the tampering hit nothing"


def found(plane, **options):
    report = verify(plane, **options)
    return [(d.kind, d.index, d.where) for d in report.discrepancies]


def kinds(plane):
    return {d.kind for d in verify(plane).discrepancies}


def key_of(plane, table, name):
    with plane.database.read() as session:
        return f"{table}:{session.scalar(text(f'SELECT id FROM {table} WHERE name = :name'), {'name': name})}"


def event_at(plane, position):
    with plane.database.read() as session:
        row = session.execute(text("SELECT * FROM ledger_events WHERE position = :p"), {"p": position}).mappings().one()
        return {k: bytes(v) if isinstance(v, memoryview) else v for k, v in row.items()}


def position_of(plane, action):
    plane.ledger.sequencer.integrate()
    return next(e.position for e in plane.ledger.feed(limit=100) if e.leaf.action == action)


def test_a_plane_that_was_let_be_holds(worked):
    told = []
    report = verify(worked, progress=lambda phase, done: told.append((phase, done)))
    assert report.discrepancies == ()
    report.require_sound()
    assert report.figures["events"] == report.size == worked.ledger.checkpoint().size
    assert report.figures["objects"] == 2
    assert {"erased": 0, "unknowable": 0, "waiting": 0, "strays": 0}.items() <= report.figures.items()
    assert ("events", report.size) in told
    assert ("rows", report.figures["rows"]) in told
    assert told[-1] == ("objects", 2)


def test_verifying_writes_nothing_to_the_database(worked):
    worked.ledger.sequencer.close()
    tables = [t.__tablename__ for t in governed_tables()] + ["ledger_events", "ledger_checkpoints"]

    def everything():
        with worked.database.read() as session:
            return {t: sorted(map(repr, session.execute(text(f"SELECT * FROM {t}")).all())) for t in tables}

    before = everything()
    verify(worked)
    assert everything() == before


def test_events_that_are_not_in_the_tree_yet_count(worked, owner, monkeypatch):
    monkeypatch.setattr(worked.ledger.sequencer, "integrate", lambda: None)
    create_project(worked, owner, "waiting")
    report = verify(worked)
    assert report.discrepancies == ()
    assert report.figures["waiting"] == 1


def test_a_changed_row_is_named(worked):
    alter(worked, "UPDATE projects SET description = 'another' WHERE name = 'lending'")
    assert found(worked) == [(Kind.STATE_CHANGED, None, key_of(worked, "projects", "lending"))]


def test_a_row_that_came_back_is_named(worked):
    alter(worked, "UPDATE principals SET disabled_at = NULL WHERE name = 'grace'")
    assert found(worked) == [(Kind.STATE_CHANGED, None, key_of(worked, "principals", "grace"))]


def test_a_row_without_an_event_is_named(worked):
    with worked.database.write() as session:
        row = session.query(Project).one()
        session.add(Project(id=new_id(), name="forged", description="", key_id=row.key_id, created=row.created))
    assert found(worked) == [(Kind.STATE_WITHOUT_EVENT, None, key_of(worked, "projects", "forged"))]


def test_a_row_that_was_deleted_behind_the_log_is_named(worked):
    key = key_of(worked, "environments", "staging")
    alter(worked, "DELETE FROM environments")
    assert found(worked) == [(Kind.STATE_MISSING, None, key)]


def test_a_deleted_row_that_stands_there_again_is_named(worked, owner):
    user = create_principal(worked, owner, PrincipalSpec("user", "kay"))
    binding = grant(worked, owner, user, "auditor", PLANE)
    with worked.database.read() as session:
        row = dict(session.execute(text("SELECT * FROM bindings WHERE id = :id"), {"id": binding}).mappings().one())
    revoke(worked, owner, binding)
    assert found(worked) == []
    alter(worked, f"INSERT INTO bindings ({', '.join(row)}) VALUES ({', '.join(':' + c for c in row)})", **row)
    assert found(worked) == [(Kind.STATE_WITHOUT_EVENT, None, f"bindings:{binding}")]


def test_a_volatile_column_may_change_without_an_event(worked):
    alter(worked, "UPDATE tokens SET last_used = created")
    assert found(worked) == []


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # PostgreSQL keeps such a value out of the column
def test_a_row_whose_cell_cannot_be_read_is_named_and_the_others_are_judged_still(worked, owner):
    create_project(worked, owner, "other")
    alter(worked, "UPDATE projects SET created = 'yesterday' WHERE name = 'lending'")
    alter(worked, "UPDATE projects SET description = 'another' WHERE name = 'other'")
    keys = {key_of(worked, "projects", name) for name in ("lending", "other")}
    assert {(k, w) for k, _, w in found(worked)} == {(Kind.STATE_CHANGED, key) for key in keys}


def test_a_removed_event_is_named(worked):
    alter(worked, "DELETE FROM ledger_events WHERE position = 5")
    assert found(worked) == [(Kind.REMOVED, 5, "")]


def test_a_changed_leaf_is_named(worked):
    leaf = event_at(worked, 4)["leaf"].replace(b'"done"', b'"gone"')
    alter(worked, "UPDATE ledger_events SET leaf = :leaf WHERE position = 4", leaf=leaf)
    assert found(worked) == [(Kind.CHANGED, 4, "ledger_events")]


def test_a_leaf_that_is_no_record_is_named(worked):
    alter(worked, "UPDATE ledger_events SET leaf = :leaf WHERE position = 4", leaf=b"{}")
    assert found(worked) == [(Kind.CHANGED, 4, "ledger_events")]


def test_a_forged_event_with_its_own_salt_is_named(worked, owner):
    forged = Entry.of(
        Event(new_id(), SystemClock().now(), owner.id, "key.rotate", "Plane::plane", Outcome.DONE, {"state": {}})
    )
    alter(
        worked,
        "UPDATE ledger_events SET leaf = :leaf, payload = :payload, salt = :salt WHERE position = 4",
        leaf=forged.sealed.leaf,
        payload=forged.sealed.payload,
        salt=forged.sealed.salt,
    )
    assert (Kind.CHANGED, 4, "ledger_events") in found(worked)


def test_a_changed_payload_is_named(worked):
    payload = event_at(worked, 4)["payload"].replace(b'"allow"', b'"deny"')
    alter(worked, "UPDATE ledger_events SET payload = :payload WHERE position = 4", payload=payload)
    assert found(worked) == [(Kind.BAD_COMMITMENT, 4, "")]


def test_a_payload_whose_salt_alone_was_taken_is_named(worked):
    alter(worked, "UPDATE ledger_events SET salt = NULL WHERE position = 4")
    assert found(worked) == [(Kind.BAD_COMMITMENT, 4, "")]


def test_columns_that_say_something_else_than_the_leaf_are_named(worked):
    name = event_at(worked, 4)["id"]
    alter(worked, "UPDATE ledger_events SET resource = 'Plane::other' WHERE position = 4")
    assert found(worked) == [(Kind.CHANGED, 4, f"ledger_events:{name}")]


def test_two_events_that_changed_places_are_named(worked):
    for position, place in ((3, -1), (5, 3), (-1, 5)):
        alter(worked, "UPDATE ledger_events SET position = :to WHERE position = :at", at=position, to=place)
    assert (Kind.REORDERED, 3, "ledger_events") in found(worked)  # back-dated besides, where they lie far enough apart


def test_an_event_that_was_dropped_and_the_gap_closed_is_named(worked):
    size = worked.ledger.checkpoint().size
    alter(worked, "DELETE FROM ledger_events WHERE position = 2")
    for position in range(3, size):
        alter(worked, "UPDATE ledger_events SET position = position - 1 WHERE position = :at", at=position)
    assert set(found(worked)) == {(Kind.DROPPED, 2, "ledger_events"), (Kind.REMOVED, size - 1, "")}


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)  # on PostgreSQL the sequencer gives the positions
def test_events_that_are_missing_before_the_tree_reached_them_are_named(worked, owner, monkeypatch):
    monkeypatch.setattr(worked.ledger.sequencer, "integrate", lambda: None)
    size = worked.ledger.checkpoint().size
    for name in ("first", "second", "third"):
        create_project(worked, owner, name)
    alter(worked, "DELETE FROM ledger_events WHERE position = :p", p=size + 1)
    assert found(worked) == [(Kind.REMOVED, size + 1, "")]


def test_state_whose_waiting_event_was_removed_has_no_event(worked, owner, monkeypatch):
    monkeypatch.setattr(worked.ledger.sequencer, "integrate", lambda: None)
    create_project(worked, owner, "secret")
    with worked.database.read() as session:
        last = session.scalar(text("SELECT id FROM ledger_events ORDER BY id DESC LIMIT 1"))
    alter(worked, "DELETE FROM ledger_events WHERE id = :id", id=last)
    assert (Kind.STATE_WITHOUT_EVENT, None, key_of(worked, "projects", "secret")) in found(worked)


def backdated(owner, *, event_id, time):
    return Entry.of(Event(event_id, time, owner.id, "ledger.export", "Plane::plane", Outcome.DONE, {}))


def old_id(moment):
    millis = int(moment.timestamp() * 1000)
    return f"{millis >> 16:08x}-{millis & 0xFFFF:04x}-7{new_id()[15:]}"


@pytest.mark.parametrize("way", ["the time alone", "time and id", "no time in the id"])
def test_a_back_dated_event_is_named_though_it_was_signed(worked, owner, way):
    now = worked.clock.now()
    past = now - timedelta(days=30)
    event_id = {"the time alone": new_id(), "time and id": old_id(past), "no time in the id": "8" * 36}[way]
    time = now if way == "no time in the id" else past
    with worked.database.connection() as connection:
        insert_entries(connection, [backdated(owner, event_id=event_id, time=time)])
    size = worked.ledger.sequencer.integrate()
    assert found(worked) == [(Kind.BACK_DATED, size - 1, "")]


def test_an_event_that_waited_for_another_transaction_is_not_accused(worked, owner):
    earlier = worked.clock.now() - timedelta(minutes=4)
    with worked.database.connection() as connection:
        insert_entries(connection, [backdated(owner, event_id=old_id(earlier), time=earlier)])
    worked.ledger.sequencer.integrate()
    assert found(worked) == []


def test_rows_of_an_erased_event_are_unknowable_and_not_accused(worked):
    at = position_of(worked, "environment.create")
    alter(worked, "UPDATE ledger_events SET payload = NULL, salt = NULL WHERE position = :at", at=at)
    report = verify(worked)
    assert report.discrepancies == ()
    assert (report.figures["erased"], report.figures["unknowable"]) == (1, 1)


def test_erasing_does_not_cover_a_row_that_a_later_event_told_of(worked):
    alter(worked, "UPDATE ledger_events SET payload = NULL, salt = NULL WHERE position = 1")
    alter(worked, "UPDATE principals SET disabled_at = NULL WHERE name = 'grace'")
    assert found(worked) == [(Kind.STATE_CHANGED, None, key_of(worked, "principals", "grace"))]


def test_an_erased_event_that_could_not_have_changed_state_covers_nothing(worked, owner):
    with worked.operation(owner, "ledger.export", PLANE):
        pass
    at = position_of(worked, "ledger.export")
    alter(worked, "UPDATE ledger_events SET payload = NULL, salt = NULL WHERE position = :at", at=at)
    alter(worked, "UPDATE projects SET description = 'another' WHERE name = 'lending'")
    assert found(worked) == [(Kind.STATE_CHANGED, None, key_of(worked, "projects", "lending"))]


def blob_paths(plane):
    with plane.database.read() as session:
        addresses = session.scalars(text("SELECT digest FROM vault_blobs ORDER BY digest")).all()
    return [(a, plane.blobs.path(a)) for a in addresses]


def test_a_missing_object_is_named_with_its_subject(worked):
    address, path = blob_paths(worked)[0]
    path.unlink()
    (discrepancy,) = verify(worked).discrepancies
    assert (discrepancy.kind, discrepancy.where) == (Kind.OBJECT_MISSING, address)
    assert "test:" in discrepancy.detail


def test_a_changed_object_is_named(worked):
    address, path = blob_paths(worked)[1]
    path.write_bytes(b"2wo")
    assert found(worked) == [(Kind.OBJECT_CHANGED, None, address)]


def test_stray_objects_are_only_counted(worked):
    with worked.blobs.writer() as sink:
        sink.write(b"nobody names me")
        sink.commit()
    report = verify(worked)
    assert report.discrepancies == ()
    assert report.figures["strays"] == 1


def tile(plane, path):
    return Path(plane.ledger.folder) / path


def test_a_changed_bundle_and_a_changed_tile_are_named(worked):
    size = worked.ledger.checkpoint().size
    bundle = tile(worked, f"tile/entries/000.p/{size}")
    whole = bundle.read_bytes()
    bundle.write_bytes(whole.replace(b'"done"', b'"gone"', 1))
    report = verify(worked)
    assert {Kind.CHANGED} == {d.kind for d in report.discrepancies}
    assert report.first_bad_index == 0
    bundle.write_bytes(whole[:-1])
    assert Kind.BAD_TILE in kinds(worked)
    bundle.write_bytes(whole)
    hashes = tile(worked, f"tile/0/000.p/{size}")
    hashes.write_bytes(bytes(32) + hashes.read_bytes()[32:])
    assert found(worked) == [(Kind.BAD_TILE, 0, "")]


def test_a_published_checkpoint_that_is_missing_or_forged_is_named(worked):
    worked.ledger.sequencer.close()
    published = tile(worked, "checkpoint")
    other = Signer.from_seed(worked.workspace.origin, bytes(32))
    published.write_text(sign(Checkpoint(worked.workspace.origin, 3, bytes(32)), other))
    assert found(worked) == [(Kind.WRONG_KEY, None, "checkpoint")]
    published.unlink()
    assert found(worked) == [(Kind.BAD_TILE, None, "checkpoint")]


def test_a_checkpoint_row_that_was_changed_is_named(worked):
    size = worked.ledger.checkpoint().size
    alter(worked, "UPDATE ledger_checkpoints SET root = :root WHERE size = :size", root="00" * 32, size=size)
    assert found(worked) == [(Kind.CHANGED, None, f"ledger_checkpoints:{size}")]


def test_a_database_rolled_back_behind_the_published_checkpoint_is_named(worked, owner):
    worked.ledger.sequencer.close()
    before = worked.ledger.checkpoint().size
    create_project(worked, owner, "later")
    worked.ledger.sequencer.integrate()
    alter(worked, "DELETE FROM ledger_checkpoints WHERE size > :size", size=before)
    assert (Kind.ROLLED_BACK, before, "") in found(worked)


def test_a_log_that_was_signed_again_does_not_continue_what_was_seen(worked, owner, tmp_path):
    seen = tmp_path / "seen.jsonl"
    verify(worked, seen).require_sound()
    assert stat.S_IMODE(seen.stat().st_mode) == 0o600
    (note,) = map(json.loads, seen.read_text().splitlines())
    assert note == worked.ledger.checkpoint().note
    signer = Signer.from_seed(worked.workspace.origin, worked.system_key("log-signing").material)
    forged = sign(Checkpoint(worked.workspace.origin, worked.ledger.checkpoint().size, bytes(32)), signer)
    seen.write_text(json.dumps(forged) + "\n")
    assert Kind.FORKED in {k for k, _, _ in found(worked, seen_file=seen)}
    assert seen.read_text() == json.dumps(forged) + "\n", "nothing is added to the file of a log that does not hold"
    with pytest.raises(Tampered, match="TP-LEDGER-018"):
        verify(worked, seen).require_sound()


def test_discrepancies_beyond_a_hundred_of_a_kind_are_not_listed(worked, owner):
    with worked.database.write() as session:
        row = session.query(Project).one()
        session.add_all(
            Project(id=new_id(), name=f"forged-{i}", description="", key_id=row.key_id, created=row.created)
            for i in range(LISTED + 1)
        )
    assert len(found(worked)) == LISTED


def test_state_is_judged_in_the_order_of_changes_on_whatever_order_the_ids_have(worked, owner):
    """An operation that begins first may be the one that changes a row last."""
    name = key_of(worked, "projects", "lending").partition(":")[2]
    with worked.operation(owner, "plane.configure", PLANE) as first:
        with worked.operation(owner, "plane.configure", PLANE) as second:
            second.session.get_one(Project, name).description = "the second"
        first.session.get_one(Project, name).description = "the first, later"
    assert first.id < second.id
    worked.ledger.sequencer.integrate()
    assert found(worked) == []
