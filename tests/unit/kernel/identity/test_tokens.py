"""Tokens: 256 random bits, shown once, kept as a keyed hash, and refused for every reason alike."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from trustplane.kernel.identity import principals as people
from trustplane.kernel.identity.authentication import authenticate
from trustplane.kernel.identity.tables import Token
from trustplane.kernel.identity.tokens import PREFIX, SESSION_PREFIX, NewToken, looks_like_token, new_secret, token_hash
from trustplane.kernel.operation import AccessDenied
from trustplane.kernel.plane import Plane
from trustplane.values.clock import FixedClock, SystemClock
from trustplane.values.errors import BadInput, Unauthenticated


@pytest.fixture
def clock():
    return FixedClock(SystemClock().now())


@pytest.fixture
def plane(workspace, clock):
    with Plane(workspace, clock) as opened:
        yield opened


def who(plane, secret):
    return authenticate(plane.database, plane.token_key, secret, plane.clock)


def row_of(plane, token):
    with plane.database.read() as session:
        return session.get_one(Token, token.id)


@pytest.mark.parametrize("prefix", [PREFIX, SESSION_PREFIX])
def test_a_secret_has_256_random_bits(prefix):
    made = {new_secret(prefix) for _ in range(1000)}
    assert len(made) == 1000
    assert all(re.fullmatch(prefix + r"[A-Za-z0-9_-]{43}", secret) for secret in made)
    assert all(looks_like_token(secret) for secret in made)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tp_",
        "tp_" + "a" * 42,
        "tp_" + "a" * 44,
        "TP_" + "a" * 43,
        "tp_" + "\u00e4" * 43,
        "tp_" + "a" * 43 + "\n",
        " tp_" + "a" * 43,
    ],
)
def test_what_is_no_token(text):
    assert not looks_like_token(text)


def test_only_a_keyed_hash_is_kept(plane, owner, workspace):
    token = people.issue_token(plane, owner, owner.id)
    row = row_of(plane, token)
    assert row.secret_hash == token_hash(plane.token_key, token.secret)
    assert len(row.secret_hash) == 32
    assert token_hash(b"\0" * 32, token.secret) != row.secret_hash
    assert token.secret not in repr(token) + str(token) + repr(row.__dict__)
    for event in plane.ledger.feed(limit=20):
        assert token.secret not in str(event)


def test_a_token_stands_for_its_principal_with_its_scopes(plane, owner):
    token = people.issue_token(plane, owner, owner.id, scopes=["ledger.*"])
    actor = who(plane, token.secret)
    assert (actor.id, actor.name, actor.scopes, actor.token_id) == (owner.id, "ada", ("ledger.*",), token.id)
    with pytest.raises(AccessDenied) as told:
        people.create_project(plane, actor, "credit")
    assert "scope" in told.value.why


def test_it_is_refused_from_the_moment_it_expires(plane, owner, clock):
    token = people.issue_token(plane, owner, owner.id, life=timedelta(minutes=10))
    clock.advance(minutes=9, seconds=59)
    assert who(plane, token.secret).id == owner.id
    clock.advance(seconds=1)
    with pytest.raises(Unauthenticated):
        who(plane, token.secret)


def test_a_clock_that_steps_back_revives_no_revoked_token(plane, owner, clock):
    token = people.issue_token(plane, owner, owner.id)
    people.revoke_token(plane, owner, token.id)
    clock.advance(days=-30)
    with pytest.raises(Unauthenticated):
        who(plane, token.secret)


def test_a_revoked_token_is_refused_at_once(plane, owner):
    token = people.issue_token(plane, owner, owner.id)
    assert who(plane, token.secret)
    people.revoke_token(plane, owner, token.id)
    with pytest.raises(Unauthenticated):
        who(plane, token.secret)


def test_a_disabled_principal_is_nobody(plane, owner):
    made = people.create_principal(plane, owner, people.PrincipalSpec("service", "app"))
    token = people.issue_token(plane, owner, made)
    assert who(plane, token.secret).name == "app"
    people.disable_principal(plane, owner, "app")
    with pytest.raises(Unauthenticated):
        who(plane, token.secret)


def test_every_refusal_says_the_same(plane, owner):
    """Whether a token is unknown, expired, revoked or malformed is nobody's business."""
    token = people.issue_token(plane, owner, owner.id)
    people.revoke_token(plane, owner, token.id)
    told = set()
    for secret in (token.secret, new_secret(), "nonsense", "", "tp_" + "a" * 43):
        with pytest.raises(Unauthenticated) as refused:
            who(plane, secret)
        told.add(str(refused.value))
    assert told == {"TP-IDENTITY-001 the token is not accepted"}


def test_when_it_was_last_used_is_kept_once_a_minute(plane, owner, clock):
    token = people.issue_token(plane, owner, owner.id)
    assert row_of(plane, token).last_used is None
    who(plane, token.secret)
    first = row_of(plane, token).last_used
    clock.advance(seconds=30)
    who(plane, token.secret)
    assert row_of(plane, token).last_used == first == clock.now() - timedelta(seconds=30)
    clock.advance(seconds=31)
    who(plane, token.secret)
    assert row_of(plane, token).last_used == clock.now()


@pytest.mark.parametrize("life", [timedelta(0), timedelta(seconds=-1), timedelta(seconds=59), timedelta(days=367)])
def test_a_life_out_of_bounds_is_refused(plane, owner, life):
    with pytest.raises(BadInput) as told:
        people.issue_token(plane, owner, owner.id, life=life)
    assert told.value.code == "TP-IDENTITY-010"


@pytest.mark.parametrize("scopes", [[], [""], ["nothing.read"], ["ledger"], ["ledger.*", "no-such.verb"]])
def test_scopes_that_are_none_are_refused(plane, owner, scopes):
    with pytest.raises(BadInput):
        people.issue_token(plane, owner, owner.id, scopes=scopes)


def test_nobody_issues_a_token_for_somebody_else(plane, owner):
    bo = people.create_principal(plane, owner, people.PrincipalSpec("user", "bo"))
    with pytest.raises(AccessDenied):
        people.issue_token(plane, owner, bo)
    with plane.database.read() as session:
        assert session.scalars(select(Token).where(Token.principal_id == bo)).all() == []


def test_a_scoped_token_issues_none_that_reaches_further(plane, owner):
    narrow = who(plane, people.issue_token(plane, owner, owner.id, scopes=["token.*", "ledger.read"]).secret)
    assert isinstance(people.issue_token(plane, narrow, owner.id, scopes=["ledger.read"]), NewToken)
    with pytest.raises(AccessDenied):
        people.issue_token(plane, narrow, owner.id, scopes=["*"])


def test_a_hash_moved_to_another_row_is_found_by_verification(plane, owner):
    from trustplane.kernel.ledger import crosscheck

    mine = people.issue_token(plane, owner, owner.id)
    with plane.database.engine.begin() as connection:
        connection.execute(update(Token).where(Token.id == mine.id).values(secret_hash=b"\0" * 32))
    assert [d.where for d in crosscheck.verify(plane).discrepancies] == [f"tokens:{mine.id}"]
