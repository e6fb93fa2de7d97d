"""Make ``ledger/trustplane.json``: what the ledger must produce, byte for byte, so that other implementations can check theirs.

Written from the texts of RFC 6962, RFC 8785 and C2SP signed-note, tlog-checkpoint, tlog-tiles and tlog-proof, as simply as they can be
followed, and on purpose without a line of the product. Run it to write the file again; nothing in it depends on time or chance.
"""

import base64
import hashlib
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NAME = "vectors.example/ledger"
SEED = bytes(range(32))
SIZE = 600
SIZES = [0, 1, 2, 3, 7, 255, 256, 257, 511, 512, 513, 600]
INCLUSIONS = [
    (0, 1),
    (0, 2),
    (2, 3),
    (6, 7),
    (255, 256),
    (256, 257),
    (0, 600),
    (255, 600),
    (256, 600),
    (511, 600),
    (599, 600),
]
CONSISTENCIES = [(1, 2), (3, 7), (255, 256), (256, 257), (256, 600), (257, 600), (512, 600), (599, 600)]


def sha(data):
    return hashlib.sha256(data).digest()


def b64(data):
    return base64.b64encode(data).decode()


def split(n):
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def mth(d):
    """MTH(D[n]), RFC 6962 section 2.1."""
    if not d:
        return sha(b"")
    if len(d) == 1:
        return sha(b"\x00" + d[0])
    k = split(len(d))
    return sha(b"\x01" + mth(d[:k]) + mth(d[k:]))


def path(m, d):
    """PATH(m, D[n]), RFC 6962 section 2.1.1."""
    if len(d) == 1:
        return []
    k = split(len(d))
    return [*path(m, d[:k]), mth(d[k:])] if m < k else [*path(m - k, d[k:]), mth(d[:k])]


def subproof(m, d, whole):
    """SUBPROOF(m, D[n], b), RFC 6962 section 2.1.2."""
    if m == len(d):
        return [] if whole else [mth(d)]
    k = split(len(d))
    if m <= k:
        return [*subproof(m, d[:k], whole), mth(d[k:])]
    return [*subproof(m - k, d[k:], False), mth(d[:k])]


def event(i):
    """The i-th event: its leaf as RFC 8785 writes it (keys are ASCII and sorted here), its payload and its salt."""
    payload = f'{{"n":{i}}}'.encode()
    salt = sha(f"salt {i}".encode())
    leaf = {
        "action": "dataset.ingest",
        "actor": "user:ann",
        "commitment": sha(salt + payload).hex(),
        "id": f"0197f6a0-0000-7000-8000-{i:012d}",
        "outcome": "done",
        "resource": f"dataset:credit@{i}",
        "time": f"2026-01-01T00:{i // 60 % 60:02d}:{i % 60:02d}.000000Z",
        "v": 1,
    }
    return {"leaf": json.dumps(leaf, separators=(",", ":")), "payload": payload.decode(), "salt": salt.hex()}


def tiles(d):
    """Every tile and bundle of tlog-tiles for the tree over ``d``, which has fewer than 65,536 entries: path to content."""
    files = {}
    for n in range(0, len(d), 256):
        part = d[n : n + 256]
        width = "" if len(part) == 256 else f".p/{len(part)}"
        files[f"tile/entries/{n // 256:03d}{width}"] = b"".join(len(e).to_bytes(2, "big") + e for e in part)
        files[f"tile/0/{n // 256:03d}{width}"] = b"".join(sha(b"\x00" + e) for e in part)
    full = len(d) // 256
    if full:
        files[f"tile/1/000.p/{full}"] = b"".join(mth(d[256 * i : 256 * i + 256]) for i in range(full))
    return files


def vectors():
    """The content of the file."""
    key = Ed25519PrivateKey.from_private_bytes(SEED)
    public = b"\x01" + key.public_key().public_bytes_raw()
    key_id = sha(NAME.encode() + b"\n" + public)[:4]
    events = [event(i) for i in range(SIZE)]
    d = [e["leaf"].encode() for e in events]
    body = f"{NAME}\n{SIZE}\n{b64(mth(d))}\n"
    note = f"{body}\n\u2014 {NAME} {b64(key_id + key.sign(body.encode()))}\n"
    receipt = ["c2sp.org/tlog-proof@v1", f"extra {b64(d[300])}", "index 300", *map(b64, path(300, d))]
    return {
        "seed": SEED.hex(),
        "vkey": f"{NAME}+{key_id.hex()}+{b64(public)}",
        "events": events[:3],
        "roots": {str(n): mth(d[:n]).hex() for n in SIZES},
        "inclusion": [{"index": m, "size": n, "proof": [h.hex() for h in path(m, d[:n])]} for m, n in INCLUSIONS],
        "consistency": [
            {"old": m, "new": n, "proof": [h.hex() for h in subproof(m, d[:n], True)]} for m, n in CONSISTENCIES
        ],
        "tiles": {where: sha(data).hex() for where, data in sorted(tiles(d).items())},
        "checkpoint": note,
        "receipt": "\n".join(receipt) + "\n\n" + note,
    }


if __name__ == "__main__":
    target = Path(__file__).parent / "ledger" / "trustplane.json"
    target.write_text(json.dumps(vectors(), indent=2) + "\n", "utf-8")
