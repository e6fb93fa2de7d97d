"""The profiles of the sandbox, and what fits into one."""

from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.training.profiles import PROFILES, USUAL, check_within, devices_of, find_profile
from trustplane.training.sandboxes.contract import Limits
from trustplane.values.errors import BadInput, NotFound, Unavailable

NAMES = list(asdict(Limits()))


def test_the_usual_profile_is_what_held_before_there_were_profiles() -> None:
    assert PROFILES[USUAL].limits == Limits()
    assert PROFILES[USUAL].devices == ()


def test_the_larger_profiles_give_more_of_everything() -> None:
    small = asdict(PROFILES["strict"].limits)
    for name in ("research", "gpu"):
        assert all(value >= small[limit] for limit, value in asdict(PROFILES[name].limits).items())


def test_an_unknown_profile_is_not_found() -> None:
    with pytest.raises(NotFound) as caught:
        find_profile("strikt")
    assert (caught.value.code, "strict" in caught.value.fix) == ("TP-RUN-022", True)


@given(st.sampled_from(NAMES), st.floats(0.01, 3))
def test_a_run_may_ask_for_less_and_not_for_more(name, share) -> None:
    profile = PROFILES["strict"]
    limits = replace(profile.limits, **{name: getattr(profile.limits, name) * share})
    if share <= 1:
        check_within(limits, profile)
    else:
        with pytest.raises(BadInput) as caught:
            check_within(limits, profile)
        assert caught.value.code == "TP-RUN-021"
        assert name.replace("_", " ") in caught.value.what


def test_cards_are_found_by_their_device_files(tmp_path) -> None:
    gpu = PROFILES["gpu"]
    with pytest.raises(Unavailable) as caught:
        devices_of(gpu, tmp_path)
    assert caught.value.code == "TP-RUN-020"
    for name in ("nvidia0", "nvidiactl", "nvidia-uvm", "sda", "mem"):
        (tmp_path / name).touch()
    assert [path.name for path in devices_of(gpu, tmp_path)] == ["nvidia-uvm", "nvidia0", "nvidiactl"]
    assert devices_of(PROFILES["strict"], tmp_path) == ()
