"""Moments of cron expressions."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.kernel.jobs.cron import checked_cron, following, latest
from trustplane.values.errors import BadInput

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CRONS = ["* * * * * *", "*/15 * * * *", "0 2 * * *", "30 4 1 * *", "0 0 * * 1", "15 */5 * * * *"]
MOMENTS = st.integers(1_577_836_800_000_000, 2_051_222_400_000_000).map(lambda us: EPOCH + timedelta(microseconds=us))


@settings(deadline=None)
@given(st.sampled_from(CRONS), MOMENTS)
def test_now_lies_between_the_latest_and_the_following(cron: str, now: datetime) -> None:
    assert latest(cron, now) <= now < following(cron, now)


@settings(deadline=None)
@given(st.sampled_from(CRONS), MOMENTS)
def test_nothing_falls_due_between_the_two(cron: str, now: datetime) -> None:
    assert following(cron, latest(cron, now)) == following(cron, now)
    assert latest(cron, following(cron, now)) == following(cron, now)


@settings(deadline=None)
@given(st.sampled_from(CRONS), MOMENTS, st.integers(-12, 12))
def test_the_zone_of_now_does_not_matter(cron: str, now: datetime, hours: int) -> None:
    elsewhere = now.astimezone(timezone(timedelta(hours=hours)))
    assert (latest(cron, elsewhere), following(cron, elsewhere)) == (latest(cron, now), following(cron, now))


@pytest.mark.parametrize("cron", CRONS)
def test_a_cron_expression_is_accepted(cron: str) -> None:
    assert checked_cron(cron) == cron


@pytest.mark.parametrize("cron", ["", "* * * *", "nightly", "0 25 * * *", "0 0 31 2"])
def test_anything_else_is_refused(cron: str) -> None:
    with pytest.raises(BadInput, match="TP-JOB-010"):
        checked_cron(cron)
