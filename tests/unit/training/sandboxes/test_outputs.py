"""An output is read as what an untrusted script left."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from trustplane.training.sandboxes.outputs import output_files
from trustplane.values.errors import Refused


def test_files_are_listed_relative_and_sorted(tmp_path: Path) -> None:
    (tmp_path / "b" / "c").mkdir(parents=True)
    for name in ("z", "b/a", "b/c/d"):
        (tmp_path / name).write_text(name)
    assert output_files(tmp_path) == (Path("b/a"), Path("b/c/d"), Path("z"))


def bind(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


@pytest.mark.parametrize(
    "leave",
    [
        lambda path: path.symlink_to("/etc/passwd"),
        lambda path: path.symlink_to(path.parent / "model.onnx"),
        lambda path: path.symlink_to(path.parent),
        lambda path: path.symlink_to("nowhere"),
        os.mkfifo,
        bind,
    ],
    ids=["link-outside", "link-inside", "link-to-folder", "broken-link", "pipe", "socket"],
)
def test_anything_but_files_and_folders_is_refused(tmp_path: Path, leave: Callable[[Path], object]) -> None:
    (tmp_path / "model.onnx").write_text("x")
    (tmp_path / "deep").mkdir()
    leave(tmp_path / "deep" / "odd")
    with pytest.raises(Refused) as caught:
        output_files(tmp_path)
    assert caught.value.code == "TP-RUN-006"
