"""Logging in with a password: argon2id, throttled by name and address, and telling nothing but that it was wrong."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from trustplane.kernel.identity import principals as people
from trustplane.kernel.identity import throttle
from trustplane.kernel.identity.authentication import log_in
from trustplane.kernel.identity.passwords import MAX_LENGTH, MIN_LENGTH, check_password, hash_password
from trustplane.kernel.identity.tables import LoginThrottle, Principal
from trustplane.kernel.plane import Plane
from trustplane.values.clock import FixedClock, SystemClock
from trustplane.values.errors import BadInput, Unauthenticated

PASSWORD = "correct-horse-battery"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def clock():
    return FixedClock(SystemClock().now())


@pytest.fixture
def plane(workspace, clock):
    with Plane(workspace, clock) as opened:
        yield opened


@pytest.fixture
def bo(plane, owner):
    return people.create_principal(plane, owner, people.PrincipalSpec("user", "bo", password=PASSWORD))


def enter(plane, name="bo", password=PASSWORD, address="10.0.0.1"):
    return log_in(plane.database, plane.token_key, name, password, address, plane.clock)


def test_the_right_password_is_the_user(plane, bo):
    assert enter(plane).id == bo


def test_passwords_are_kept_as_argon2id(plane, bo):
    with plane.database.read() as session:
        stored = session.get_one(Principal, bo).password
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,")
    assert PASSWORD not in repr(people.PrincipalSpec("user", "x", password=PASSWORD))


def test_unknown_names_services_and_the_disabled_fail_as_a_wrong_password_does(plane, owner, bo):
    people.create_principal(plane, owner, people.PrincipalSpec("service", "app"))
    people.create_principal(plane, owner, people.PrincipalSpec("user", "no-password"))
    people.create_principal(plane, owner, people.PrincipalSpec("user", "gone", password=PASSWORD))
    people.disable_principal(plane, owner, "gone")
    told = set()
    for n, (name, password) in enumerate(
        (
            ("bo", "wrong"),
            ("nobody", PASSWORD),
            ("app", PASSWORD),
            ("no-password", ""),
            ("gone", PASSWORD),
            ("", ""),
            ("bo", "x" * 5000),
        )
    ):
        with pytest.raises(Unauthenticated) as refused:
            enter(plane, name, password, address=f"10.0.0.{n}")
        told.add(str(refused.value))
    assert told == {"TP-IDENTITY-002 the name or the password is wrong"}


def test_after_five_failures_it_waits_longer_each_time(plane, bo, clock):
    def fail():
        with pytest.raises(Unauthenticated) as refused:
            enter(plane, password="wrong")
        return refused.value.code

    assert [fail() for _ in range(6)] == ["TP-IDENTITY-002"] * 6
    with pytest.raises(Unauthenticated) as held:
        enter(plane)
    assert held.value.code == "TP-IDENTITY-003"
    clock.advance(seconds=2)
    assert fail() == "TP-IDENTITY-002"
    clock.advance(seconds=2)
    assert fail() == "TP-IDENTITY-003"
    clock.advance(seconds=3)
    assert enter(plane).id == bo


def test_an_address_that_tries_many_names_waits_too(plane, bo):
    for n in range(6):
        with pytest.raises(Unauthenticated):
            enter(plane, name=f"guess-{n}", address="10.9.9.9")
    with pytest.raises(Unauthenticated) as held:
        enter(plane, address="10.9.9.9")
    assert held.value.code == "TP-IDENTITY-003"
    assert enter(plane, address="10.0.0.2").id == bo


def test_what_was_typed_is_kept_under_a_keyed_pseudonym_alone(plane, bo):
    with pytest.raises(Unauthenticated):
        enter(plane, name=PASSWORD, address="192.0.2.7")
    with plane.database.read() as session:
        subjects = session.scalars(select(LoginThrottle.subject)).all()
    assert len(subjects) == 2
    assert not any(PASSWORD in s or "192.0.2.7" in s for s in subjects)


@pytest.mark.parametrize("password", ["", "short", "x" * (MIN_LENGTH - 1), "x" * (MAX_LENGTH + 1)])
def test_a_password_has_a_length(password):
    with pytest.raises(BadInput) as told:
        hash_password(password)
    assert told.value.code == "TP-IDENTITY-004"


def test_a_damaged_hash_matches_nothing():
    for stored in ("", "plain", "$argon2id$broken", None):
        with pytest.raises(Unauthenticated):
            check_password(stored, PASSWORD)


class TestThrottle:
    def test_five_are_free_and_then_the_wait_doubles(self):
        attempts, waits = None, []
        for _ in range(12):
            attempts = throttle.after_failure(attempts, NOW)
            waits.append(throttle.wait(attempts, NOW).total_seconds())
        assert waits == [0, 0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128]

    def test_a_quarter_of_an_hour_forgets(self):
        attempts = None
        for _ in range(9):
            attempts = throttle.after_failure(attempts, NOW)
        later = NOW + throttle.WINDOW + timedelta(seconds=1)
        assert throttle.after_failure(attempts, later) == throttle.Attempts(1, later)

    @given(st.integers(0, 10**6), st.timedeltas(min_value=timedelta(days=-400), max_value=timedelta(days=400)))
    def test_no_clock_makes_anybody_wait_longer_than_the_rule(self, failures, jump):
        attempts = throttle.after_failure(throttle.Attempts(failures, NOW), NOW)
        assert timedelta(0) <= throttle.wait(attempts, NOW + jump) <= throttle.LONGEST
