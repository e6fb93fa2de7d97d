"""Erasure: the person is gone from every version, the keys of what was are destroyed, and everybody else is as before."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from trustplane.data.ingestion import ingest
from trustplane.data.retention import lift_hold, place_hold
from trustplane.data.subjects.erasure import erase_from, search, start_erasure
from trustplane.data.subjects.requests import answer_request
from trustplane.data.tables import Dataset, DatasetVersion, SubjectRequest
from trustplane.data.views import ViewSpec, create_view, open_view
from trustplane.kernel.ledger.crosscheck import verify
from trustplane.kernel.vault.keyring import unwrap_chain
from trustplane.kernel.vault.keys import place
from trustplane.kernel.vault.tables import VaultBlob, VaultKey
from trustplane.values.errors import Refused, TrustplaneError


def rows_of(plane, view, who):
    return [row for batch in open_view(plane, who, "credit", view).batches for row in batch.to_pylist()]


@pytest.fixture
def versions(plane, steward, csv, spec, clients):
    """Three versions, and a view of the first and of the last."""
    for rows in (300, 200):
        ingest(plane, steward, "credit", replace(spec, format="csv"), [csv(rows)])
    for number in (1, 3):
        columns = ("customer_id", "age")
        made = ViewSpec(f"v{number}", "clients", columns, spec.purposes[0], timedelta(days=1), number=number)
        create_view(plane, steward, "credit", made)
    return clients.dataset_id


def test_a_person_is_gone_from_every_version_and_view(plane, steward, asked, erased, versions):
    before = {n: rows_of(plane, f"v{n}", steward) for n in (1, 3)}
    request = asked()
    erased(request)
    for number, rows in before.items():
        after = rows_of(plane, f"v{number}", steward)
        assert after == [r for r in rows if r["customer_id"] != "C00007"]
        assert len(after) == len(rows) - 1
    with plane.database.read() as session:
        row = session.get_one(SubjectRequest, request)
        done = row.erased[versions]
        assert sorted(v["number"] for v in done["versions"].values()) == [1, 2, 3]
        assert all(v["rows"] == 1 for v in done["versions"].values())
        assert row.state == "verified"
        for version in session.query(DatasetVersion):
            assert version.rows == {1: 499, 2: 299, 3: 199}[version.number]
            assert version.statistics["age"]["rows"] == version.rows
        assert all(session.get(VaultBlob, digest) is None for digest in done["replaced"])
    assert plane.ledger.receipt(done["event"]).startswith("c2sp.org/tlog-proof@v1")
    assert search(plane, steward, "credit", request).datasets == {}
    answer_request(plane, steward, "credit", request, "it is done")
    plane.ledger.sequencer.integrate()
    verify(plane).require_sound()


def test_the_old_objects_are_gone_and_their_keys_do_not_open_again(plane, steward, asked, erased, versions):
    with plane.database.read() as session:
        old = session.query(DatasetVersion).filter_by(number=1).one()
    erased(asked())
    left = {p.name for p in Path(plane.workspace.blobs).rglob("*") if p.is_file()}
    assert old.digest.removeprefix("sha256:")[2:] not in left
    with plane.database.read() as session:
        for key_id in old.keys.values():
            with pytest.raises(TrustplaneError) as told:
                unwrap_chain(session, plane.keystore, key_id)
            assert told.value.code == "TP-VAULT-008"


def test_a_backup_of_before_does_not_open_with_the_key_file_of_now(
    workspace, plane, steward, asked, erased, versions, tmp_path
):
    with plane.database.read() as session:
        old = session.query(DatasetVersion).filter_by(number=1).one()
        wrapped = {key.id: (key.wrapped, key.parent_id, key.purpose, key.root_id) for key in session.query(VaultKey)}
    erased(asked())
    for key_id in old.keys.values():
        chain, at = [], key_id
        while at is not None:
            chain.append(at)
            at = wrapped[at][1]
        top = chain[-1]
        material, _, purpose, root = wrapped[top]
        with pytest.raises(TrustplaneError):
            plane.keystore.unwrap(root, material, place(top, None, purpose))


def test_no_value_of_the_person_is_anywhere_in_the_workspace(plane, steward, asked, erased, versions):
    request = asked("erasure", "C00007")
    erased(request)
    answer_request(plane, steward, "credit", request, "done")
    plane.ledger.sequencer.integrate()
    for path in plane.workspace.folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            for value in (b"C00007", b"person7@", b"c00007"):
                assert value not in data, path


def test_somebody_who_is_nowhere_changes_nothing(plane, steward, asked, erased, versions):
    request = asked("erasure", "nobody@mail.example")
    with plane.database.read() as session:
        before = [v.digest for v in session.query(DatasetVersion)]
    erased(request)
    with plane.database.read() as session:
        assert [v.digest for v in session.query(DatasetVersion)] == before
    answer_request(plane, steward, "credit", request, "nothing was held")


def test_everybody_in_a_version_may_be_erased(plane, steward, csv, spec, asked, erased, clients):
    ingest(plane, steward, "credit", replace(spec, name="few"), [csv(2)])
    erased(asked("erasure", "C00000", "C00001"))
    with plane.database.read() as session:
        few = session.query(Dataset).filter_by(name="few").one()
        assert session.query(DatasetVersion).filter_by(dataset_id=few.id).one().rows == 0


def test_a_hold_keeps_everything_and_erasure_goes_on_once_it_is_lifted(plane, steward, asked, erased, versions):
    request = asked()
    place_hold(plane, steward, "credit", "clients", "a claim is in court")
    with pytest.raises(TrustplaneError):
        erased(request)
    with plane.database.read() as session:
        row = session.get_one(SubjectRequest, request)
        assert (row.state, row.erased) == ("verified", {})
        assert "legal-hold" in row.found["failure"]
    lift_hold(plane, steward, "credit", "clients", "the claim was settled")
    erased(request)
    assert search(plane, steward, "credit", request).datasets == {}


def test_a_hold_that_comes_while_it_is_written_anew_is_heeded(plane, steward, asked, versions, monkeypatch):
    from trustplane.data.subjects import erasure

    request = asked()
    monkeypatch.setattr(plane.jobs, "launch", lambda: None)
    start_erasure(plane, steward, "credit", request)
    rewrite = erasure._rewrite

    def slow(*arguments):
        made = rewrite(*arguments)
        with plane.database.read() as session:
            held = session.get_one(Dataset, versions).held
        if not held:
            place_hold(plane, steward, "credit", "clients", "just now")
        return made

    monkeypatch.setattr(erasure, "_rewrite", slow)
    objects = {p for p in Path(plane.workspace.blobs).rglob("*") if p.is_file()}
    with pytest.raises(Refused) as told:
        erase_from(plane, steward, request, versions)
    assert told.value.code == "TP-DATA-076"
    assert {p for p in Path(plane.workspace.blobs).rglob("*") if p.is_file()} == objects


def test_two_erasures_at_once_both_end(plane, steward, asked, erased, versions):
    requests = [asked("erasure", f"C{n:05d}") for n in (3, 5)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(erased, requests))
    left = {r["customer_id"] for r in rows_of(plane, "v3", steward)}
    assert not {"C00003", "C00005"} & left
    assert len(left) == 198
    verify(plane).require_sound()


def test_other_kinds_erase_nothing(plane, steward, asked):
    with pytest.raises(Refused):
        start_erasure(plane, steward, "credit", asked("access"))


def test_a_search_opens_the_indices_and_no_column(plane, steward, asked, versions):
    search(plane, steward, "credit", asked())
    event = next(e for e in plane.ledger.feed(limit=5) if e.leaf.action == "request.search")
    released = plane.ledger.get(event.leaf.id).payload["keys"]
    with plane.database.read() as session:
        assert {session.get_one(VaultKey, key).purpose for key in released} == {"index", "request"}
