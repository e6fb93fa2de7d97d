#!/usr/bin/env python3
"""Verify an exported ledger, or one receipt, with nothing but Python and the package ``cryptography``.

The tree is made again from the entries (RFC 6962) and compared with every tile, the signed root and every checkpoint
seen before; every payload that was not erased opens the commitment of its entry. The formats are C2SP signed-note,
tlog-checkpoint, tlog-tiles and tlog-proof. A million entries take about 80 MB of memory.
Exit codes: 0 it holds, 1 it was tampered with (the first bad entry is named), 2 it could not be checked.
"""

import argparse
import json
import re
import sys
from base64 import b64decode, b64encode
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Tampered(Exception):
    """The log does not hold; the message names the first bad entry where there is one."""


def unbase64(text: str) -> bytes:
    with suppress(ValueError):
        if b64encode(data := b64decode(text, validate=True)).decode() == text:
            return data
    raise Tampered(f"not base64: {text[:60]!r}")


def digest(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()


def merkle(hashes: Sequence[bytes]) -> bytes:
    """The root over ``hashes``, of which the last may be the root of a smaller subtree than the others."""
    while len(hashes) > 1:
        pairs = [digest(b"\x01", left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=False)]
        hashes = [*pairs, *hashes[2 * len(pairs) :]]
    return hashes[0] if hashes else digest()


def open_checkpoint(note: str, vkey: str) -> tuple[int, bytes]:
    """The size and the root that a checkpoint states, once its Ed25519 signature holds."""
    name, key_id, encoded = [*vkey.strip().split("+", 2), "", ""][:3]
    key = b64decode(encoded, validate=True)
    if len(key) != 33 or key[0] != 1 or digest(name.encode(), b"\n", key).hex()[:8] != key_id:
        raise ValueError("the key is not an Ed25519 verifier key, NAME+ID+KEY")
    text, _, signatures = note.rpartition("\n\n")
    try:
        blobs = [unbase64(s.rpartition(" ")[2]) for s in signatures.split("\n") if s.startswith(f"\u2014 {name} ")]
        signature = next(blob[4:] for blob in blobs if blob[:4].hex() == key_id)
        Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature, f"{text}\n".encode())
    except (InvalidSignature, StopIteration):
        raise Tampered(f"the checkpoint is not signed by the key of {name}") from None
    origin, size, root = text.split("\n")[:3]
    if origin != name:
        raise Tampered(f"the checkpoint is of another log than {name}")
    return int(size), unbase64(root)


def read_tile(folder: Path, level: int | str, index: int, width: int) -> tuple[bytes, int]:
    """A tile, partial or the full one that took its place, and how many hashes or entries are due in it."""
    *parents, name = [group.zfill(3) for group in f"{index:,}".split(",")]
    path = folder.joinpath("tile", str(level), *(f"x{group}" for group in parents), name)
    partial = path.with_name(f"{name}.p") / str(width)
    if width < 256 and partial.is_file():
        return partial.read_bytes(), width
    return (path.read_bytes(), 256) if path.is_file() else (b"", width)


@lru_cache(maxsize=4)
def read_bundle(folder: Path, index: int, size: int) -> tuple[list[bytes], int]:
    """The entries of a bundle as far as they can be read, and how many are due."""
    data, due = read_tile(folder, "entries", index, min(256, size - 256 * index))
    entries, offset = [], 0
    while offset < len(data):
        start = offset + 2
        offset = start + int.from_bytes(data[offset:start], "big")
        entries.append(data[start:offset])
    return (entries if offset == len(data) else entries[:-1]), due


def rebuild(folder: Path, size: int) -> tuple[list[list[bytes]], list[int]]:
    """The hashes of each level of tiles, made again from the entries; and the entries at which what is stored differs."""
    rows, faults = [list[bytes]()], list[int]()
    for index in range(-(-size // 256)):
        entries, due = read_bundle(folder, index, size)
        rows[0] += [digest(b"\x00", entry) for entry in entries[: size - 256 * index]]
        if len(entries) != due:
            faults.append(256 * index + min(len(entries), due))
            break
    while full := len(rows[-1]) >> 8:
        rows.append([merkle(rows[-1][256 * i : 256 * i + 256]) for i in range(full)])
    for level, row in enumerate(rows):
        for start in range(0, len(row), 256):
            made = row[start : start + 256]
            data, due = read_tile(folder, level, start >> 8, min(256, (size >> 8 * level) - start))
            same = next((i for i, h in enumerate(made) if data[32 * i : 32 * i + 32] != h), len(made))
            at = start + min(same, len(made) - 1)
            if (same < len(made) or len(data) != 32 * due) and not any(f >> 8 * level == at for f in faults):
                faults.append(at << 8 * level)
    return rows, faults


def root_at(rows: list[list[bytes]], size: int) -> bytes | None:
    """The root of the tree of the first ``size`` entries; None where there are not so many."""
    rest: list[bytes] = []
    for level, row in enumerate(rows):
        tile = row[size >> 8 * level + 8 << 8 : size >> 8 * level] + rest
        rest = [merkle(tile)] if tile else []
    return merkle(rest) if size <= len(rows[0]) else None


def verify_folder(folder: Path, vkey: str, seen: Sequence[str]) -> tuple[int, bytes]:
    """Check the log against its checkpoint and every one seen before; return its size and root."""
    signed = open_checkpoint((folder / "checkpoint").read_text("utf-8", "replace"), vkey)
    history = sorted([signed, *(open_checkpoint(note, vkey) for note in seen)])
    rows, faults = rebuild(folder, signed[0])
    broken = [size for size, root in history if root_at(rows, size) != root]
    if broken:
        agreed = max((size for size, _ in history if size < broken[0]), default=0)
        first = next((fault for fault in sorted(faults) if agreed <= fault < broken[0]), agreed)
        raise Tampered(f"entry {first}: here or later, the log is not the one signed at {broken[0]} entries")
    if faults:
        raise Tampered(f"entry {min(faults)}: a tile does not hold its hash")
    return signed


def open_payloads(folder: Path, size: int) -> int:
    """Open the commitment, hex SHA-256(salt || payload), of every payload that was not erased; return their number."""
    lines = (folder / "payloads.jsonl").read_bytes().splitlines()
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            index, payload, salt = record["index"], unbase64(record["payload"]), unbase64(record["salt"])
            commitment = json.loads(read_bundle(folder, index >> 8, size)[0][index & 255])["commitment"]
        except (Tampered, ValueError, KeyError, TypeError, IndexError):
            raise Tampered(f"line {number} of payloads.jsonl cannot be read") from None
        if not 0 <= index < size or len(salt) != 32 or digest(salt, payload).hex() != commitment:
            raise Tampered(f"entry {index}: the payload is not the one that was recorded")
    return len(lines)


def verify_receipt(text: str, vkey: str) -> bytes:
    """The entry that a receipt shows to be in the log, by RFC 9162 section 2.1.3.2."""
    form = re.fullmatch(r"c2sp\.org/tlog-proof@v1\nextra (.*)\nindex ([0-9]+)\n((?:.{43}=\n)*)\n((?s:.+))", text)
    if not form:
        raise Tampered("the receipt is malformed")
    size, root = open_checkpoint(form[4], vkey)
    entry, path = unbase64(form[1]), [unbase64(line) for line in form[3].splitlines()]
    place, last, found = int(form[2]), size - 1, digest(b"\x00", entry)
    for sibling in path:
        left = place & 1 or place == last
        found = digest(b"\x01", sibling, found) if left else digest(b"\x01", found, sibling)
        while left and place and not place & 1:
            place, last = place >> 1, last >> 1
        place, last = place >> 1, last >> 1
    if int(form[2]) >= size or last or found != root:
        raise Tampered("the receipt does not show its entry in the signed tree")
    return entry


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Verify an exported ledger, or one receipt.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="EXPORT_DIR")
    parser.add_argument("--receipt", type=Path, metavar="FILE", help="check this receipt and print its event")
    parser.add_argument("--vkey", metavar="FILE_OR_TEXT", help="the log's public key, from elsewhere than the log")
    parser.add_argument("--seen", type=Path, metavar="FILE", help="where checkpoints are kept from run to run")
    options = parser.parse_args(arguments)
    if not options.vkey:
        print("WARNING: the key came with the log; who forged one forged both. Use --vkey.", file=sys.stderr)
    try:
        vkey = options.vkey or str(options.folder / "log.vkey")
        vkey = vkey if "+" in vkey and not Path(vkey).is_file() else Path(vkey).read_text("utf-8")
        if options.receipt:
            print(json.dumps(json.loads(verify_receipt(options.receipt.read_text("utf-8", "replace"), vkey)), indent=2))
            return 0
        seen = options.seen.read_text("utf-8").splitlines() if options.seen and options.seen.exists() else []
        size, root = verify_folder(options.folder, vkey, [json.loads(line) for line in seen])
        opened = open_payloads(options.folder, size)
        note = json.dumps((options.folder / "checkpoint").read_text("utf-8"))
        if options.seen and note not in seen:
            options.seen.write_text("".join(f"{line}\n" for line in (*seen, note)), "utf-8")
        print(f"ok: {size} entries, root {root.hex()}, {opened} payloads opened, {len(seen)} checkpoints continued")
    except Tampered as error:
        print(f"TAMPERED: {error}", file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        parser.error(f"it cannot be checked: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
