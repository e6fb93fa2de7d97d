"""The code of a run: what may be sent, its one digest, and how it comes back."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.training.code import MOST_BYTES, MOST_FILES, checked_files, code_digest, pack, unpack
from trustplane.values.errors import BadInput

PARTS = st.text(st.characters(categories=["Ll", "Nd"], max_codepoint=0x2FF), min_size=1, max_size=8)
FILES = st.dictionaries(st.lists(PARTS, min_size=3, max_size=3).map("/".join), st.binary(max_size=40), min_size=1)


def refused(files: dict[str, bytes], script: str = "train.py") -> BadInput:
    with pytest.raises(BadInput) as caught:
        checked_files(script, files)
    assert caught.value.code == "TP-RUN-011"
    return caught.value


@given(FILES)
def test_what_is_packed_comes_back(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    folder = tmp_path_factory.mktemp("code")
    unpack(pack(checked_files(next(iter(files)), files)), folder)
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found == files


@given(FILES, st.data())
def test_the_digest_is_of_paths_and_contents_whatever_their_order(files: dict[str, bytes], data: st.DataObject) -> None:
    shuffled = dict(data.draw(st.permutations(list(files.items()))))
    assert code_digest(shuffled) == code_digest(files)
    assert pack(shuffled) == pack(files)
    name = data.draw(st.sampled_from(sorted(files)))
    assert code_digest(files | {name: files[name] + b"x"}) != code_digest(files)
    assert code_digest({("moved" if n == name else n): content for n, content in files.items()}) != code_digest(files)


def test_the_digest_is_what_it_says() -> None:
    lines = f"a.py\0{hashlib.sha256(b'1').hexdigest()}\nb/c.py\0{hashlib.sha256(b'2').hexdigest()}\n"
    expected = hashlib.sha256(lines.encode()).hexdigest()
    assert code_digest({"b/c.py": b"2", "a.py": b"1"}) == f"sha256:{expected}"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "/etc/passwd",
        "../train.py",
        "a/../../train.py",
        "./train.py",
        "a//b.py",
        "a/",
        "a\\b.py",
        "a\nb.py",
        "a\0b.py",
        "\x1b[2J.py",
        "\udcff.py",
        "\u202egnp.py",
        "é" * 101,
        "x" * 201,
        "/".join("abcdefghijk"),
    ],
)
def test_a_path_that_is_not_plain_is_refused(name: str) -> None:
    refused({"train.py": b"", name: b""})


def test_two_files_never_land_in_one_place() -> None:
    refused({"train.py": b"1", "train.py/x": b"2"})
    refused({"train.py": b"1", "a": b"2", "a/b/c.py": b"3"})
    assert checked_files("train.py", {"train.py": b"1", "train/x": b"2"})


def test_the_script_is_one_of_the_files() -> None:
    error = refused({"train.py": b""}, "tr\x1bain.py" + "x" * 200)
    assert "\x1b" not in str(error)
    assert len(str(error)) < 200


def test_there_is_a_script_and_not_too_much_of_it() -> None:
    refused({})
    refused({"train.py": b""} | {f"{n}.py": b"" for n in range(MOST_FILES)})
    refused({"train.py": bytes(MOST_BYTES + 1)})
    assert len(checked_files("train.py", {"train.py": bytes(MOST_BYTES)})) == 1
    assert len(checked_files("0.py", {f"{n}.py": b"" for n in range(MOST_FILES)})) == MOST_FILES


def test_unpacking_writes_below_its_folder(tmp_path: Path) -> None:
    unpack(pack({"a/b.py": b"1"}), tmp_path / "code")
    assert [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.py")] == ["code/a/b.py"]
    assert json.loads(pack({"a": b"1"})) == {"a": "MQ=="}
