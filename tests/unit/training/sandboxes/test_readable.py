"""What every script may read besides its inputs."""

import sys
from pathlib import Path, PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

import trustplane
from trustplane.training.sandboxes.readable import covering, readable_paths

PATHS = st.lists(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(lambda parts: Path("/", *parts)), max_size=12
)


@given(PATHS)
def test_the_cover_shows_all_of_the_paths_and_nothing_more(paths: list[Path]) -> None:
    kept = covering(paths)
    assert set(kept) <= set(paths)
    assert all(any(path.is_relative_to(one) for one in kept) for path in paths)
    assert not any(one.is_relative_to(other) for one in kept for other in kept if one != other)


def test_the_interpreter_and_its_libraries_are_readable() -> None:
    readable = readable_paths()
    for needed in (
        Path(sys.executable).resolve(),
        Path(trustplane.__file__).resolve(),
        Path(PurePosixPath.__module__, "/usr"),
    ):
        assert any(needed.is_relative_to(path) for path in readable), needed


def test_nothing_of_the_user_or_the_machine_is_readable() -> None:
    readable = readable_paths()
    for secret in (
        "/etc/passwd",
        "/etc/shadow",
        "/proc",
        "/proc/self/environ",
        "/dev/shm",
        "/tmp",
        str(Path.home()),
        "/var",
    ):
        assert not any(Path(secret).is_relative_to(path) for path in readable), secret
