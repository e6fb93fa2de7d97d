"""Connecting: where to, as whom, and what is never shown on the way."""

import json
import os
import stat
from dataclasses import replace

import httpx
import pytest

import trustplane
from trustplane.client import credentials, embedded
from trustplane.client.connection import connect, locate
from trustplane.client.records import Record, Records
from trustplane.client.wire import Wire, error_of
from trustplane.kernel.identity import principals as people
from trustplane.kernel.plane import Plane
from trustplane.values.errors import BadInput, Conflict, Denied, NotFound, Tampered, Unauthenticated, Unavailable

TOKEN = "tp_" + "A" * 43


@pytest.fixture
def token(workspace, monkeypatch):
    """A token of the owner, and the environment that finds the workspace's database."""
    monkeypatch.setenv("TRUSTPLANE_DATABASE_URL", workspace.database_url)
    with Plane(workspace) as plane, plane.database.read() as session:
        row = people.find_principal(session, "ada")
        actor = replace(plane.stand_in(row.id, ("*",)), scopes=("*",))
        return people.issue_token(plane, actor, row.id).secret


def test_a_workspace_here_or_above_is_found(tmp_path, monkeypatch):
    (tmp_path / "work" / "deep").mkdir(parents=True)
    (tmp_path / "work" / "trustplane.toml").write_text("")
    monkeypatch.chdir(tmp_path / "work" / "deep")
    assert locate() == tmp_path / "work"
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFound) as told:
        locate()
    assert told.value.code == "TP-CLIENT-003"
    monkeypatch.setenv("TRUSTPLANE_WORKSPACE", str(tmp_path / "work"))
    assert locate() == tmp_path / "work"
    monkeypatch.setenv("TRUSTPLANE_URL", "https://plane.example")
    assert locate() == "https://plane.example"
    assert locate("other") == tmp_path / "other"


@pytest.mark.parametrize(
    "url",
    [
        "http://plane.example",
        "http://10.0.0.1:8350",
        "https://user:secret@plane.example",
        "http://localhost.evil.example",
        "http://[::2]/",
    ],
)
def test_a_token_never_travels_in_the_open(url):
    with pytest.raises(BadInput) as told:
        connect(url, token=TOKEN)
    assert told.value.code == "TP-CLIENT-007"
    assert "secret" not in str(told.value)
    assert TOKEN not in str(told.value)


@pytest.mark.parametrize("url", ["https://plane.example", "http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"])
def test_these_addresses_are_used(url):
    with connect(url, token=TOKEN) as client:
        assert TOKEN not in repr(client) + repr(client._wire) + str(vars(client))


def test_a_plane_that_does_not_answer_is_said_to_be_so():
    with connect("http://127.0.0.1:1", token=TOKEN) as client, pytest.raises(Unavailable) as told:
        client.whoami()
    assert told.value.code == "TP-CLIENT-001"
    assert TOKEN not in str(told.value)


def test_a_folder_that_is_no_workspace(tmp_path):
    with pytest.raises(NotFound) as told:
        connect(tmp_path)
    assert told.value.code == "TP-PLANE-001"


def test_an_installation_without_the_server_names_the_extra(monkeypatch):
    monkeypatch.setattr(embedded, "entry_points", lambda group: [])
    with pytest.raises(Unavailable) as told:
        embedded.application("x")
    assert told.value.code == "TP-SETUP-001"
    assert "trustplane[plane]" in told.value.fix


def test_the_same_plane_embedded_and_as_another(workspace, token):
    with connect(workspace.folder, token=token) as ada:
        assert ada.whoami().name == "ada"
        ada.users.create("bo", password="correct-horse-battery")
        secret = ada.log_in("bo", "correct-horse-battery").token
        bo = ada.as_user(secret)
        assert bo.whoami().name == "bo"
        with pytest.raises(Denied) as told:
            bo.create_project("mine")
        assert told.value.code == "TP-POLICY-020"
        ada.create_project("credit")
        with pytest.raises(Conflict):
            ada.create_project("credit")
        bo.log_out()
        with pytest.raises(Unauthenticated):
            bo.whoami()


def test_no_token_or_a_wrong_one_is_nobody(workspace, token):
    for wrong in (None, TOKEN, "not-a-token", token[:-1] + ("A" if token[-1] != "A" else "B")):
        with connect(workspace.folder, token=wrong) as client, pytest.raises(Unauthenticated) as told:
            client.whoami()
        assert told.value.code == "TP-IDENTITY-001"
        assert str(wrong) not in str(told.value)


def test_lists_are_read_page_by_page(workspace, token):
    with connect(workspace.folder, token=token) as client:
        for n in range(7):
            client.create_project(f"p{n}")
        asked = []
        whole = client._wire._json

        def counted(method, path, **said):
            asked.append(path)
            return whole(method, path, **said)

        client._wire._json = counted
        names = [p["name"] for p in client._wire.pages("/projects", limit=3)]
    assert sorted(names) == [f"p{n}" for n in range(7)]
    assert len(asked) == 3


def test_trustplane_connect_is_there():
    assert trustplane.connect is connect


class TestCredentials:
    def test_the_file_is_private_and_keeps_who_was_last(self, tmp_path):
        old = os.umask(0)
        try:
            credentials.save(tmp_path, "ada", TOKEN)
            file = credentials.save(tmp_path, "bo", TOKEN + "B", last=False)
        finally:
            os.umask(old)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert credentials.load(tmp_path) == TOKEN
        assert credentials.load(tmp_path, "bo") == TOKEN + "B"
        assert credentials.load(tmp_path, "nobody") is None
        assert credentials.forget(tmp_path) == TOKEN
        assert credentials.load(tmp_path) == TOKEN + "B"
        assert [p.name for p in tmp_path.iterdir()] == ["credentials.json"]

    def test_those_of_a_url_lie_in_the_users_configuration(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        credentials.save("https://a.example", "ada", "1")
        credentials.save("https://b.example/", "ada", "2")
        assert (credentials.load("https://a.example/"), credentials.load("https://b.example")) == ("1", "2")

    @pytest.mark.parametrize("content", ["", "[]", "{", "\x00"])
    def test_a_damaged_file_is_said_to_be_damaged(self, tmp_path, content):
        (tmp_path / "credentials.json").write_text(content)
        with pytest.raises(BadInput) as told:
            credentials.load(tmp_path)
        assert told.value.code == "TP-CLIENT-004"


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "code", "family"),
        [
            (400, "TP-DATA-003", BadInput),
            (401, "TP-IDENTITY-001", Unauthenticated),
            (403, "TP-POLICY-020", Denied),
            (404, "TP-IDENTITY-008", NotFound),
            (409, "TP-IDENTITY-006", Conflict),
            (409, "TP-VAULT-011", Tampered),
            (503, "TP-STORE-003", Unavailable),
        ],
    )
    def test_the_family_of_an_error(self, status, code, family):
        body = {"code": code, "detail": "what", "why": "why", "fix": "fix", "facts": {"n": 1}}
        error = error_of(httpx.Response(status, json=body))
        assert type(error) is family
        assert (error.code, error.what, error.why, error.fix, error.facts) == (code, "what", "why", "fix", {"n": 1})

    @pytest.mark.parametrize(
        "content", [b"", b"<html>Bad gateway</html>", b"[1]", b'{"code": "TP-NOT-999"}', b'{"code": 5}', b"\xff"]
    )
    def test_what_is_not_ours_is_still_an_error(self, content):
        error = error_of(httpx.Response(502, content=content))
        assert error.code == "TP-CLIENT-002"
        assert "html" not in str(error)

    def test_a_repeated_request_makes_nothing_twice(self):
        keys = []

        def answer(request):
            keys.append(request.headers.get("idempotency-key"))
            return httpx.Response(200, json={})

        wire = Wire(httpx.Client(transport=httpx.MockTransport(answer), base_url="http://x"), "x")
        wire.post("/projects", {})
        wire.post("/projects", {})
        wire.get("/projects")
        assert None not in keys[:2]
        assert keys[0] != keys[1]
        assert keys[2] is None


class TestRecords:
    def test_members_are_attributes(self):
        record = Record({"name": "x", "n": {"a": 1}})
        assert (record.name, record["n"], len(record), list(record)) == ("x", {"a": 1}, 2, ["name", "n"])
        assert json.loads(repr(record)) == {"name": "x", "n": {"a": 1}}
        with pytest.raises(AttributeError, match="there are name, n"):
            record.nothing  # noqa: B018

    def test_a_notebook_escapes_what_it_shows(self):
        evil = "<script>alert(1)</script>"
        for shown in (Record({evil: evil})._repr_html_(), Records([Record({evil: evil})])._repr_html_()):
            assert "<script>" not in shown
        assert Records()._repr_html_() == "<p>nothing</p>"
