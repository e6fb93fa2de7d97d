"""What a script left is removed whole, and nothing else is."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from trustplane.training.sandboxes.removal import discard


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Path]:
    """A file that must outlive every removal; its mode must not change either."""
    path = tmp_path / "outside" / "kept"
    path.parent.mkdir(mode=0o750)
    path.touch()
    yield path
    assert path.exists()
    assert path.parent.stat().st_mode & 0o777 == 0o750


def test_files_folders_links_and_pipes_are_removed(tmp_path: Path, beside: Path) -> None:
    left = tmp_path / "left"
    (left / "a" / "b").mkdir(parents=True)
    (left / "a" / "b" / "file").write_text("x")
    (left / "a" / "link").symlink_to(beside)
    (left / "folder").symlink_to(beside.parent)
    (left / "a" / "folder").symlink_to(beside.parent)
    os.mkfifo(left / "pipe")
    discard(left)
    assert not left.exists()


def test_a_folder_that_is_a_link_is_not_followed(tmp_path: Path, beside: Path) -> None:
    link = tmp_path / "left"
    link.symlink_to(beside.parent)
    discard(link)
    assert not link.is_symlink()


def test_a_file_in_the_place_of_the_folder_is_removed(tmp_path: Path) -> None:
    (tmp_path / "left").touch()
    discard(tmp_path / "left")
    assert not (tmp_path / "left").exists()


def test_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    discard(tmp_path / "left")


def test_names_that_are_no_text_are_removed(tmp_path: Path) -> None:
    (tmp_path / "left").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/left/\xff")).mkdir()
    discard(tmp_path / "left")
    assert not (tmp_path / "left").exists()


def test_folders_deeper_than_any_path_are_removed(tmp_path: Path) -> None:
    """2,500 folders of 3 characters each are beyond PATH_MAX, and beyond what recursion reaches."""
    top = tmp_path / "left"
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for _ in range(2500):
        os.mkdir("abc", dir_fd=here)
        below = os.open("abc", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    discard(top)
    assert not top.exists()


def test_folders_that_are_shut_are_opened_for_it(tmp_path: Path) -> None:
    """As an ordinary user: root may read everything."""
    left = tmp_path / "left"
    (left / "a" / "b" / "c").mkdir(parents=True)
    (left / "a" / "b" / "file").touch()
    for path in (left / "a" / "b" / "c", left / "a" / "b", left / "a", left):
        path.chmod(0)
    nobody = 65534
    if os.geteuid() != 0:
        discard(left)
    else:
        owned = [left, left / "a", left / "a" / "b", left / "a" / "b" / "c", left / "a" / "b" / "file", tmp_path]
        for path in owned:
            os.chown(path, nobody, nobody)
        root = os.open(tmp_path, os.O_RDONLY)  # the folders above are closed to an ordinary user
        before = Path.cwd()
        os.fchdir(root)
        os.seteuid(nobody)
        try:
            discard(Path("left"))
        finally:
            os.seteuid(0)
            os.chdir(before)
            os.close(root)
    assert not left.exists()
