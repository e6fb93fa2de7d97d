"""Ids, names, moments, digests and outcomes."""

import threading
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.values import ids
from trustplane.values.clock import FixedClock, SystemClock, parse_rfc3339, rfc3339, unix_ms
from trustplane.values.digests import parse_digest, sha256, sha256_chunks
from trustplane.values.errors import BadInput
from trustplane.values.findings import Status, status_of
from trustplane.values.ids import check_name, new_id
from trustplane.values.outcomes import Allowed, Denial, Failed, Inconclusive, NotApplicable, Passed


class TestIds:
    def test_they_are_uuids_of_version_7_with_the_time_in_front(self):
        made = uuid.UUID(new_id())
        assert (made.version, made.variant) == (7, uuid.RFC_4122)
        assert abs((made.int >> 80) - unix_ms(SystemClock().now())) < 10_000

    def test_they_rise_also_over_threads(self):
        made, lock = [], threading.Lock()

        def make():
            for _ in range(2000):
                with lock:
                    made.append(new_id())

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert made == sorted(made)
        assert len({*made}) == 8000

    def test_they_rise_when_the_clock_steps_back(self, monkeypatch):
        before = new_id()
        monkeypatch.setattr(ids.time, "time_ns", lambda: 0)
        assert new_id() > before


class TestNames:
    @pytest.mark.parametrize("name", ["a", "credit", "a-b_c.d", "0", "a" * 64])
    def test_these_are_names(self, name):
        assert check_name("project", name) == name

    @pytest.mark.parametrize(
        "name",
        ["", "A", "-a", "a-", ".", "..", "a/b", "a b", "\u00e4", "a\n", "a" * 65, "a\x00", "\u202ea", "../x", "a%2f"],
    )
    def test_these_are_not(self, name):
        with pytest.raises(BadInput) as told:
            check_name("project", name)
        assert told.value.code == "TP-VALUE-001"


class TestMoments:
    @given(
        st.datetimes(
            min_value=datetime(1970, 1, 1),
            max_value=datetime(9000, 1, 1),
            timezones=st.timezones(),
        )
    )
    def test_writing_and_reading_is_the_same(self, moment):
        text = rfc3339(moment)
        assert parse_rfc3339(text) == moment.astimezone(UTC)
        assert text == moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def test_a_moment_without_a_zone_is_refused(self):
        with pytest.raises(ValueError, match="time zone"):
            rfc3339(datetime(2026, 1, 1))
        with pytest.raises(ValueError, match="offset"):
            parse_rfc3339("2026-01-01T00:00:00")

    def test_a_fixed_clock_goes_where_it_is_told(self):
        clock = FixedClock(datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))))
        assert clock.now() == datetime(2026, 1, 1, tzinfo=UTC)
        clock.advance(days=-1)
        assert clock.now() == datetime(2025, 12, 31, tzinfo=UTC)


class TestDigests:
    @given(st.lists(st.binary(max_size=50)))
    def test_chunks_are_the_whole(self, chunks):
        assert sha256_chunks(chunks) == sha256(b"".join(chunks))
        assert parse_digest(sha256(b"".join(chunks))) == sha256(b"".join(chunks))

    @pytest.mark.parametrize(
        "text",
        ["", "sha256:", "sha256:" + "A" * 64, "sha256:" + "a" * 63, "md5:" + "a" * 64, "sha256:" + "a" * 64 + "\n"],
    )
    def test_what_is_no_digest(self, text):
        with pytest.raises(ValueError, match="not a digest"):
            parse_digest(text)


@pytest.mark.parametrize(
    "outcome",
    [Allowed(()), Denial("no"), Passed("yes"), Failed("no", "do"), Inconclusive("?", "do"), NotApplicable("none")],
)
def test_no_outcome_is_a_boolean(outcome):
    """A forgotten comparison must not become an approval."""
    with pytest.raises(TypeError, match="match on its type"):
        bool(outcome)
    with pytest.raises(TypeError):
        assert not outcome


def test_only_passed_counts_as_passed():
    assert [status_of(v) for v in (Passed(""), Failed("", ""), Inconclusive("", ""), NotApplicable(""))] == [
        Status.PASSED, Status.FAILED, Status.NO_EVIDENCE, Status.NOT_APPLICABLE,
    ]  # fmt: skip
