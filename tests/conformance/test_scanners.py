"""What every scanner and layout must keep to (trustplane.release.scanning.contract), as attacks.

A plug-in passes by being installed: the suite runs over the entry points of the group ``trustplane.scanners``.
"""

import random

import pytest

from trustplane.kernel.plugins import group
from trustplane.release.scanning.content import Held, Reader
from trustplane.release.scanning.contract import HEAD, Judgement, Rejected, ScannerDescriptor
from trustplane.release.scanning.frame import installed, judge, layouts, scanners

each_plugin = pytest.mark.parametrize("plugin", installed(), ids=[p.descriptor.name for p in installed()])
each_scanner = pytest.mark.parametrize("scanner", scanners(), ids=[s.descriptor.name for s in scanners()])
each_layout = pytest.mark.parametrize("layout", layouts(), ids=[x.descriptor.name for x in layouts()])
STARTS = (
    b"", b"\x80\x04.", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\x00", b"\x78\x9c", b"\x93NUMPY\x01\x00", b"\x89HDF\r\n\x1a\n",
    b"\x08\x08\x12\x04", b"{}", b'{"a":', b"tree\n", b"CBM1", b"GGUF\x03\x00\x00\x00", (8).to_bytes(8, "little") + b"{}      ", b"RDX3\n", b"#!", b"\x7fELF",
)  # fmt: skip


def nothing_inside(content):
    raise AssertionError("this file holds no other")


@each_plugin
def test_it_says_what_it_judges(plugin):
    assert isinstance(plugin.descriptor, ScannerDescriptor)
    assert plugin.descriptor.title
    assert hasattr(plugin, "recognises") is hasattr(plugin, "judge")
    assert hasattr(plugin, "fits") is hasattr(plugin, "arrange")
    assert plugin.descriptor.name in {entry.name for entry in group("scanners")}


@each_scanner
def test_it_recognises_by_the_beginning_alone_and_never_fails(scanner):
    dice = random.Random(0)
    for start in STARTS:
        for length in (0, 1, 7, 64):
            head = (start + dice.randbytes(length))[:HEAD]
            assert scanner.recognises(head, len(head)) in (True, False)


@each_scanner
def test_damaged_files_of_its_kind_never_pass_and_never_break_the_scan(scanner):
    dice = random.Random(1)
    for start in STARTS:
        for length in (0, 3, 40, 500):
            data = start + dice.randbytes(length)
            if length and scanner.recognises(data[:HEAD], len(data)):
                found = judge(Reader(Held(data), "file"))
                assert isinstance(found, Judgement)
                assert found.objections, (scanner.descriptor.name, data[:40])


@each_layout
def test_a_layout_does_not_fit_what_it_does_not_know(layout):
    assert not layout.fits(frozenset())
    assert not layout.fits(frozenset({"words.txt"}))


@each_layout
def test_a_member_that_has_no_place_is_an_objection(layout):
    for name in (
        "m/data.pkl",
        "a-1.dist-info/WHEEL",
        "config.json",
        "schema.json",
        "metadata.json",
        "config.json metadata.json model.weights.h5",
    ):
        names = (*name.split(), "m/fires.bin")
        if layout.fits(frozenset(names)):
            members = {n: Reader(Held(b"\x80\x04cos\nsystem\n."), n) for n in names}
            try:
                said = list(layout.arrange(members, lambda content: judge(content)))
            except Rejected:
                return
            assert any(judged.objections for judged in said)
