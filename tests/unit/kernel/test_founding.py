"""Making a workspace: private, whole or not at all, and on record from its first event."""

import stat

import pytest
from sqlalchemy import select

from trustplane.kernel import founding
from trustplane.kernel.founding import found
from trustplane.kernel.identity.authentication import authenticate
from trustplane.kernel.identity.tables import Principal
from trustplane.kernel.ledger import crosscheck
from trustplane.kernel.plane import Plane
from trustplane.kernel.settings import Settings, read_workspace
from trustplane.values.errors import BadInput, Conflict, NotFound, TrustplaneError


def test_a_new_workspace_has_an_owner_and_a_log_that_holds(database_url, tmp_path):
    made = found(tmp_path / "w", "ada", password="correct-horse-battery", settings=Settings(database_url=database_url))
    assert made.token not in repr(made)
    with Plane(made.workspace) as plane:
        assert authenticate(plane.database, plane.token_key, made.token, plane.clock).name == "ada"
        events = [e.leaf.action for e in reversed(plane.ledger.feed())]
        assert events == ["plane.configure", "principal.create", "binding.grant", "token.issue"]
        report = crosscheck.verify(plane)
        assert (report.discrepancies, report.size) == ((), 4)


def test_nothing_of_it_is_for_others(tmp_path):
    found(tmp_path / "w", "ada", settings=Settings())
    assert stat.S_IMODE((tmp_path / "w").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "w" / "keys" / "root.json").stat().st_mode) == 0o600


def test_it_is_made_once(tmp_path):
    found(tmp_path / "w", "ada", settings=Settings())
    with pytest.raises(Conflict) as told:
        found(tmp_path / "w", "bo", settings=Settings())
    assert told.value.code == "TP-PLANE-006"


def test_a_database_that_holds_a_workspace_is_not_taken_over(database_url, tmp_path):
    settings = Settings(database_url=database_url)
    found(tmp_path / "a", "ada", settings=settings)
    with pytest.raises(Conflict) as told:
        found(tmp_path / "b", "bo", settings=settings)
    assert told.value.code == "TP-PLANE-006"
    assert not (tmp_path / "b" / "trustplane.toml").exists()
    with Plane(read_workspace(tmp_path / "a", settings)) as plane, plane.database.read() as session:
        assert session.scalars(select(Principal.name)).all() == ["ada"]


def test_a_founding_that_fails_leaves_no_workspace_behind(tmp_path, monkeypatch):
    def fail(_database):
        raise ZeroDivisionError

    monkeypatch.setattr(founding, "migrate", fail)
    with pytest.raises(ZeroDivisionError):
        found(tmp_path / "w", "ada", settings=Settings())
    assert not (tmp_path / "w" / "trustplane.toml").exists()
    with pytest.raises(NotFound):
        read_workspace(tmp_path / "w", Settings())


@pytest.mark.parametrize(("owner", "password"), [("Ada", None), ("", None), ("ada", "short")])
def test_bad_names_and_passwords_are_refused(tmp_path, owner, password):
    with pytest.raises(BadInput):
        found(tmp_path / "w", owner, password=password, settings=Settings())


@pytest.mark.parametrize("content", ["", "[workspace]\n", "not toml at all [", '[workspace]\nid = "x"\n', "\x00"])
def test_a_file_that_names_no_workspace(tmp_path, content):
    (tmp_path / "trustplane.toml").write_text(content)
    with pytest.raises(BadInput) as told:
        read_workspace(tmp_path, Settings())
    assert told.value.code == "TP-PLANE-002"


def test_the_environment_says_where_things_lie(tmp_path, monkeypatch):
    monkeypatch.setenv("TRUSTPLANE_KEY_FILE", str(tmp_path / "elsewhere" / "root.json"))
    monkeypatch.setenv("TRUSTPLANE_BLOBS", str(tmp_path / "objects"))
    made = found(tmp_path / "w", "ada")
    assert (tmp_path / "elsewhere" / "root.json").is_file()
    assert (tmp_path / "objects").is_dir()
    assert not (tmp_path / "w" / "keys").exists()
    with Plane(made.workspace) as plane:
        assert plane.keystore.current()


def test_an_unknown_key_store_is_named(tmp_path):
    with pytest.raises(TrustplaneError) as told:
        found(tmp_path / "w", "ada", settings=Settings(key_store="key-fil:/x"))
    assert told.value.code == "TP-PLANE-004"
    assert "key-file" in told.value.why
