"""The filter, run by a second, independent interpreter of classic BPF, on every kind of call."""

import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.training.sandboxes.syscalls import ARCHITECTURES, RULES, Architecture, program

ALLOWED = 0x7FFF0000
WORDS = st.integers(0, 2**64 - 1)


def decide(code: bytes, number: int, architecture: int, arguments: tuple[int, ...]) -> int:
    """What the kernel would answer: the machine of bpf(4) with the four instructions that the filter uses."""
    data = struct.pack("=iIQ6Q", number if number < 2**31 else number - 2**32, architecture, 0, *arguments)
    instructions = list(struct.iter_unpack("=HBBI", code))
    at = accumulator = 0
    while True:
        operation, if_true, if_false, value = instructions[at]
        at += 1
        if operation == 0x20:
            accumulator = int.from_bytes(data[value : value + 4], "little")
        elif operation == 0x15:
            at += if_true if accumulator == value else if_false
        elif operation == 0x35:
            at += if_true if accumulator >= value else if_false
        else:
            assert operation == 0x06
            return int(value)


def expected(architecture: Architecture, call: str, arguments: tuple[int, ...]) -> int:
    for rule in RULES:
        if rule.call != call:
            continue
        if rule.when is None or (arguments[rule.when.argument] % 2**32 == rule.when.value) is rule.when.equals:
            return 0x00050000 | rule.error
    return ALLOWED


each_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)


@each_architecture
@given(data=st.data())
def test_every_rule_decides_as_it_is_written(architecture: Architecture, data: st.DataObject) -> None:
    call = data.draw(st.sampled_from(sorted(architecture.numbers)))
    arguments = tuple(
        data.draw(st.lists(st.sampled_from([0, 1, 2, 4, 2**32, 2**32 + 1]) | WORDS, min_size=6, max_size=6))
    )
    got = decide(program(architecture), architecture.numbers[call], architecture.audit, arguments)
    assert got == expected(architecture, call, arguments)


@each_architecture
@given(number=st.integers(0, 600))
def test_calls_without_a_rule_pass(architecture: Architecture, number: int) -> None:
    if number not in architecture.numbers.values():
        assert decide(program(architecture), number, architecture.audit, (0,) * 6) == ALLOWED


@each_architecture
@given(number=st.integers(0, 2**32 - 1), audit=st.integers(0, 2**32 - 1))
def test_calls_of_another_architecture_do_not_exist(architecture: Architecture, number: int, audit: int) -> None:
    if audit != architecture.audit:
        assert decide(program(architecture), number, audit, (0,) * 6) == 0x00050000 | errno.ENOSYS


@each_architecture
@given(number=st.integers(0x40000000, 2**32 - 1))
def test_x32_numbers_do_not_exist(architecture: Architecture, number: int) -> None:
    assert decide(program(architecture), number, architecture.audit, (0,) * 6) == 0x00050000 | errno.ENOSYS


def test_every_rule_has_a_number_on_x86_64() -> None:
    assert {rule.call for rule in RULES} == set(ARCHITECTURES["x86_64"].numbers)


def test_on_aarch64_only_calls_that_it_never_had_are_missing() -> None:
    missing = {rule.call for rule in RULES} - set(ARCHITECTURES["aarch64"].numbers)
    assert missing == {"chmod", "utime", "utimes", "futimesat"}
