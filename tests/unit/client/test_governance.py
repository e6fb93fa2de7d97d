"""People, the ledger, policies, controls, reports and keys by the SDK."""

import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import httpx
import pytest

from trustplane.client.governance import Ledger, _Sequential
from trustplane.client.wire import Wire
from trustplane.values.errors import (
    BadInput,
    Conflict,
    Denied,
    NotFound,
    Refused,
    TrustplaneError,
    Unauthenticated,
    Unavailable,
)

TOOL = Path(__file__).parents[3] / "tools" / "verify_log.py"


def test_a_service_its_token_and_its_end(root, ask):
    owner, operator = ask("owner"), ask("operator")
    made = owner.users.create("batch", kind="service", owner="some-operator")
    assert (made.kind, made.name) == ("service", "batch")
    binding = owner.users.grant("batch", "consumer", project="credit", environment="staging")
    assert [b.role for b in owner.users.bindings("batch")] == ["consumer"]
    issued = operator.users.issue_token("batch", label="nightly", scopes=["project.read"], days=1)
    service = root.as_user(issued.token)
    assert service.whoami().name == "batch"
    [listed] = operator.users.tokens("batch")
    assert (listed.id, listed.label, listed.scopes) == (issued.id, "nightly", ["project.read"])
    assert issued.token not in repr(listed) + repr(service)
    owner.users.revoke(binding.id)
    assert owner.users.bindings("batch") == []
    owner.users.disable("batch")
    with pytest.raises(Unauthenticated):
        service.whoami()
    with pytest.raises(Conflict):
        owner.users.create("batch")


def test_names_that_are_none_are_refused(ask):
    for name in ("Not A Name", "", "a" * 100, "é", "a/b", "-a"):
        with pytest.raises(TrustplaneError):
            ask("owner").users.create(name)


def test_who_is_no_owner_governs_nobody(ask):
    scientist = ask("scientist")
    for attempt in (
        lambda: scientist.users.create("friend"),
        lambda: scientist.users.grant("some-scientist", "owner"),
        lambda: scientist.users.issue_token("ada"),
        lambda: scientist.users.disable("ada"),
        lambda: scientist.policies.propose("mine", "permit(principal, action, resource);"),
        lambda: scientist.keys.rotate(),
    ):
        with pytest.raises(Denied):
            attempt()
    assert ask("owner").whoami().name == "ada"


def test_events_come_in_pages_and_are_chosen(ask):
    ledger = ask("owner").ledger
    first = ledger.events(limit=5)
    rest = ledger.events(limit=5, cursor=first.next)
    ids = [e["id"] for e in (*first["items"], *rest["items"])]
    assert len(set(ids)) == 10
    assert sorted(ids, reverse=True) == ids
    made = ledger.events(action="project.create")["items"]
    assert {e["action"] for e in made} == {"project.create"}
    shown = ledger.show(made[0]["id"])
    assert (shown.commitment, shown.leaf["action"]) == ("opens", "project.create")
    assert ledger.events(action="no.such.action")["items"] == []
    with pytest.raises(NotFound) as told:
        ledger.show("01a20a8c-0000-7000-8000-000000000000")
    assert told.value.code == "TP-LEDGER-023"


def test_an_exported_log_and_its_receipts_verify_elsewhere(ask, tmp_path):
    ledger = ask("owner").ledger
    event = ledger.events(action="project.create")["items"][0]["id"]
    (tmp_path / "receipt").write_text(ledger.prove(event))
    (tmp_path / "vkey").write_text(ledger.vkey())
    assert ledger.verify().sound
    out = ledger.export(tmp_path / "räume" / "export")
    assert out == tmp_path / "räume" / "export"
    assert (out / "checkpoint").read_text() == ledger.checkpoint() or (out / "checkpoint").is_file()
    for arguments in ([out], ["--receipt", tmp_path / "receipt"]):
        done = subprocess.run(
            [sys.executable, TOOL, *arguments, "--vkey", tmp_path / "vkey"], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
@pytest.mark.parametrize("name", ["ledger/../../evil", "/evil", "ledger//evil/../../../evil", "evil", ""])
def test_an_export_of_a_hostile_plane_writes_nothing_elsewhere(tmp_path, name, kind):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as out:
        member = tarfile.TarInfo(name)
        member.size = 4
        member.type, member.linkname = kind, "/etc/passwd"
        out.addfile(member, io.BytesIO(b"evil"))
    answer = httpx.MockTransport(lambda _request: httpx.Response(200, content=packed.getvalue()))
    ledger = Ledger(Wire(httpx.Client(transport=answer, base_url="http://x"), "x"))
    with pytest.raises(Unavailable) as told:
        ledger.export(tmp_path / "deep" / "er" / "export")
    assert told.value.code == "TP-CLIENT-002"
    assert [p for p in tmp_path.rglob("*") if not p.is_dir()] == []


def test_bytes_come_in_the_sizes_that_are_asked_for():
    source = _Sequential(iter([b"ab", b"", b"cde", b"f"]))
    assert [source.read(n) for n in (1, 3, 0, 9, 1)] == [b"a", b"bcd", b"", b"ef", b""]


POLICY = """
@id("no-weekend-views")
forbid(principal, action == Trustplane::Action::"view.create", resource);
"""


def test_policies_are_explained_tested_and_proposed(ask):
    policies = ask("owner").policies
    assert {p.state for p in policies.list()} == {"built-in"} or len(policies.list()) >= 7
    assert policies.test().failed == []
    said = policies.explain("some-scientist", "dataset.ingest", project="credit")
    assert said.decision == "deny"
    assert "data-steward" in said.own_roles + said.other_roles
    with pytest.raises(TrustplaneError) as told:
        policies.propose("broken", "permit(principal, action")
    assert told.value.code.startswith("TP-POLICY-")
    with pytest.raises(TrustplaneError):
        policies.accept("nothing")


def test_controls_are_listed_evaluated_and_kept(ask, ready):
    controls = ask("reviewer").project("credit").controls
    ids = {c.id for c in controls.list()}
    result = controls.evaluate()
    assert {f["control"] for f in result.findings} <= ids
    assert sum(result.counts.values()) == len(result.findings)
    assert {f.control for f in controls.findings()} == {f["control"] for f in result.findings}


def test_a_report_is_made_and_fetched_in_both_forms(ask, ready, tmp_path):
    made = ask("reviewer").project("credit").reports.create()
    reports = ask("auditor").project("credit").reports
    assert [r.id for r in reports.list()] == [made.id]
    assert reports.fetch(made.id, tmp_path / "r.html").read_text().lstrip().lower().startswith("<!doctype html")
    assert json.loads(reports.fetch(made.id, tmp_path / "r.json", "json").read_text())
    with pytest.raises(NotFound):
        reports.fetch("01a20a8c-0000-7000-8000-000000000000", tmp_path / "none.html")
    with pytest.raises(BadInput):
        reports.fetch(made.id, tmp_path / "none.html", "exe")
    assert not (tmp_path / "none.html").exists()


def test_keys_are_turned_and_destroyed_and_never_shown(ask, clients, scientist):
    keys = ask("owner").keys
    before = keys.list("credit")
    assert all(not {"material", "wrapped", "secret"} & set(k) for k in before)
    keys.rotate()
    assert [k.id for k in keys.list("credit")] == [k.id for k in before]
    [project] = [k for k in before if k.purpose == "project"]
    made = keys.destroy(project.id, reason="the project has ended")
    assert made.receipt.startswith("c2sp.org/tlog-proof@v1")
    assert {k.state for k in keys.list("credit")} == {"destroyed"}
    with pytest.raises(Refused) as told:
        keys.destroy(project.id, reason="again")
    assert told.value.code == "TP-VAULT-018"


def test_projects_and_their_environments(ask):
    owner = ask("owner")
    made = owner.create_project("fraud", "Überweisungen")
    assert (made.name, made.get().description) == ("fraud", "Überweisungen")
    made.create_environment("live", production=True)
    assert [(e.name, e.production) for e in made.environments()] == [("live", True)]
    assert {p.name for p in owner.projects()} == {"credit", "fraud"}
    assert [p.name for p in ask("scientist").projects()] == ["credit"]
    assert {"purposes", "lawful_bases"} <= set(owner.terms())
    assert all(c["status"] != "failing" for c in owner.doctor().checks)
    assert repr(made) == "Project('fraud')"
