"""Where a pickle asks for names: a reading of its opcodes that keeps nothing.

The unpickler is the judge; this only finds the byte offset of what it saw. A pickle has no jumps, so its n-th request for a global
is the n-th opcode that makes one.
"""

import pickletools

from trustplane.release.scanning.content import Reader

ASKING = {"GLOBAL", "STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4"}
_LENGTHS = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
_LINES = {"stringnl_noescape_pair": 2}
_OPCODES = {op.code.encode("latin-1"): op for op in pickletools.opcodes}


def offsets(content: Reader, start: int, wanted: frozenset[int]) -> dict[int, int]:
    """The offsets of the requests with these numbers, counted from 0, in the stream at ``start``; fewer where it cannot be followed."""
    content.seek(start)
    found: dict[int, int] = {}
    asked = 0
    while len(found) < len(wanted):
        offset = content.tell()
        op = _OPCODES.get(content.read(1))
        if op is None or op.name == "STOP":
            break
        if op.name in ASKING:
            if asked in wanted:
                found[asked] = offset
            asked += 1
        _pass(content, op)
    return found


def _pass(content: Reader, op: pickletools.OpcodeInfo) -> None:
    if op.arg is None:
        return
    if op.arg.n >= 0:
        content.skip(op.arg.n)
    elif op.arg.n == pickletools.UP_TO_NEWLINE:
        for _ in range(_LINES.get(op.arg.name, 1)):
            while (line := content.readline()) and not line.endswith(b"\n"):
                pass
    else:
        content.skip(int.from_bytes(content.read(_LENGTHS[op.arg.n]), "little"))
