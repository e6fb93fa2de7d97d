"""Ten thousand ways to tamper with a log, each found, with the first bad entry named, by the audit and by the auditor's tool.

Both judge the same tampered log: the audit from entries and tiles in memory, the tool from a folder. What each must name is worked
out here from what was done, not from what they answer.
"""

import json
import random
import re
from base64 import b64encode
from dataclasses import dataclass, field, replace

import pytest

from trustplane.kernel.ledger import tiles
from trustplane.kernel.ledger.divergence import Kind
from trustplane.kernel.ledger.notes import Checkpoint, Signer, sign
from trustplane.kernel.ledger.verification import Logged, audit

COUNT = 10_000
SIZES = {7: (1, 3, 6), 40: (8, 39), 256: (255,), 300: (17, 256, 299), 600: (1, 255, 512, 599)}
"""Sizes of the logs, and the sizes at which the auditor saved a checkpoint of each."""
WEIGHTS = (6, 6, 2, 2, 1)
ENTRIES = {Kind.CHANGED, Kind.DROPPED, Kind.INSERTED, Kind.REORDERED, Kind.TRUNCATED}


@dataclass
class Case:
    """A log, its tiles and checkpoint, and what must be said of them."""

    events: list
    files: dict
    note: str
    kinds: set = field(default_factory=set)
    index: int | None = None
    known: int | None = None
    """Where nothing but saved checkpoints bounds the fault from below: the least that the tool may name."""


@dataclass
class Whole:
    """A sound log, of which the folder holds an export."""

    case: Case
    saved: tuple
    folder: object
    held: dict


def exported(case):
    """The files of the folder form of ``case``."""
    lines = [
        json.dumps({"index": i, "payload": b64encode(e.payload).decode(), "salt": b64encode(e.salt).decode()})
        for i, e in enumerate(case.events)
        if e.payload is not None
    ]
    payloads = "".join(f"{line}\n" for line in lines).encode()
    return {**case.files, "checkpoint": case.note.encode(), "payloads.jsonl": payloads}


@pytest.fixture(scope="module")
def wholes(build_log, tmp_path_factory):
    made = {}
    for size, saved in SIZES.items():
        log, folder = build_log(size), tmp_path_factory.mktemp(f"log{size}")
        notes = tuple(build_log(s).note(s) for s in saved)
        case = Case(log.events, log.tiles.files, log.note(size))
        whole = Whole(case, notes, folder, {})
        place(whole, exported(case))
        made[size] = whole
    return made


def place(whole, files):
    """Make the folder hold ``files``, touching only those that differ."""
    for path in whole.held.keys() - files.keys():
        (whole.folder / path).unlink()
    for path, data in files.items():
        if whole.held.get(path) != data:
            (whole.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (whole.folder / path).write_bytes(data)
    whole.held = files


class Tamperer:
    """Makes tampered cases of one log with one source of chance."""

    def __init__(self, size, whole, chance, signer, store_type):
        self.size = size
        self.whole = whole
        self.saved = SIZES[size]
        self.chance = chance
        self.signer = signer
        self.store_type = store_type

    def agreed(self, at):
        """The largest tree that is known to be the same, where entries are others from ``at`` on."""
        return max((s for s in self.saved if s <= at), default=0)

    def with_entries(self, events, at, kinds):
        """Other entries: in the bundles alone, or with all tiles made again over them."""
        case = self.whole.case
        if self.chance.random() < 0.5:
            return Case(events, rebundled(case.files, self.size, events), case.note, kinds, at)
        files = tiles_over(self.store_type, events)
        # A partial bundle is found by its width, so of another number of entries only the full bundles can be read.
        readable = self.size if len(events) == self.size else min(len(events), self.size) // 256 * 256
        known = self.agreed(min(at, readable))
        return Case(events, files, case.note, ENTRIES | {Kind.BAD_TILE}, self.agreed(at), known)

    def forged(self):
        number = self.chance.randrange(10**9)
        return Logged(b'{"forged":%d}' % number)

    def flip(self):
        return self.chance.choice((self.flip_entry, self.flip_hash, self.flip_payload))()

    def flip_entry(self):
        at, events = self.chance.randrange(self.size), list(self.whole.case.events)
        events[at] = Logged(flipped(events[at].entry, self.chance))
        return self.with_entries(events, at, {Kind.CHANGED})

    def flip_hash(self):
        path = self.chance.choice([p for p in self.whole.case.files if "entries" not in p])
        data = self.whole.case.files[path]
        at = self.chance.randrange(len(data))
        changed = data[:at] + bytes([data[at] ^ 1 << self.chance.randrange(8)]) + data[at + 1 :]
        level, index = re.match(r"tile/(\d+)/(\d+)", path).groups()
        first = (int(index) * 256 + at // 32) * 256 ** int(level)
        files = {**self.whole.case.files, path: changed}
        return replace(self.whole.case, files=files, kinds={Kind.BAD_TILE}, index=first)

    def flip_payload(self):
        at, events = self.chance.randrange(self.size), list(self.whole.case.events)
        entry, payload, salt = events[at]
        if self.chance.random() < 0.5:
            events[at] = Logged(entry, flipped(payload, self.chance), salt)
        else:
            events[at] = Logged(entry, payload, flipped(salt, self.chance))
        return replace(self.whole.case, events=events, kinds={Kind.BAD_COMMITMENT}, index=at)

    def drop(self):
        at, events = self.chance.randrange(self.size), list(self.whole.case.events)
        del events[at]
        return self.with_entries(events, at, {Kind.DROPPED if at < self.size - 1 else Kind.TRUNCATED})

    def insert(self):
        at, events = self.chance.randrange(self.size), list(self.whole.case.events)
        events.insert(at, self.forged())
        return self.with_entries(events, at, {Kind.INSERTED})

    def reorder(self):
        one, two = sorted(self.chance.sample(range(self.size), 2))
        events = list(self.whole.case.events)
        events[one], events[two] = events[two], events[one]
        return self.with_entries(events, one, {Kind.REORDERED})

    def truncate(self):
        end = self.chance.randrange(self.size)
        return self.with_entries(self.whole.case.events[:end], end, {Kind.TRUNCATED})

    def roll_back(self):
        end = self.chance.randrange(max(self.saved))
        return self.signed(self.whole.case.events[:end], Kind.ROLLED_BACK, end)

    def fork(self):
        """Another history from some entry on, signed with the log's own key, and no smaller than what was seen."""
        at = self.chance.randrange(max(self.saved))
        events = self.whole.case.events[:at]
        while len(events) < self.size:
            events.append(self.forged())
        return self.signed(events, Kind.FORKED, self.agreed(at))

    def key_swap(self):
        seed = self.chance.randbytes(32)
        size, files = self.size, self.whole.case.files
        checkpoint = Checkpoint(self.signer.vkey.name, size, tiles.root(self.store_type(files), size))
        note = sign(checkpoint, Signer.from_seed(self.signer.vkey.name, seed))
        return replace(self.whole.case, note=note, kinds={Kind.WRONG_KEY})

    def signed(self, events, kind, index):
        files = tiles_over(self.store_type, events)
        root = tiles.root(self.store_type(files), len(events))
        note = sign(Checkpoint(self.signer.vkey.name, len(events), root), self.signer)
        return Case(events, files, note, {kind}, index)


def flipped(data, chance):
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def tiles_over(store_type, events):
    store = store_type()
    tiles.append(store, 0, [e.entry for e in events])
    return store.files


def rebundled(files, size, events):
    """Bundles over other entries under the old names, whatever then does not fit into them left to the last."""
    files = dict(files)
    last = (size - 1) // 256
    for index in range(last + 1):
        end = None if index == last else 256 * index + 256
        width = min(256, size - 256 * index)
        part = [e.entry for e in events[256 * index : end]]
        files[tiles.bundle_path(index, width)] = tiles.encode_bundle(part)
    return files


def judged_by_audit(case, saved, signer, store_type):
    report = audit(case.events, store_type(case.files), case.note, [signer.vkey], saved)
    return report.first_bad_index, {d.kind for d in report.discrepancies}


def judged_by_tool(tool, folder, saved, signer):
    tool.read_bundle.cache_clear()
    vkey = str(signer.vkey)
    try:
        size, _ = tool.verify_folder(folder, vkey, saved)
        tool.open_payloads(folder, size)
    except tool.Tampered as error:
        named = re.match(r"entry (\d+):", str(error))
        return None if named is None else int(named[1]), str(error)
    return None, None


@pytest.mark.slow
@pytest.mark.parametrize("way", ["flip", "drop", "insert", "reorder", "truncate", "roll_back", "fork", "key_swap"])
def test_every_mutation_is_found_and_the_first_bad_entry_named(way, wholes, signer, tile_store, verify_log):
    chance = random.Random(f"mutations/{way}")
    for number in range(COUNT // 8):
        (size,) = chance.choices(list(SIZES), WEIGHTS)
        whole = wholes[size]
        case = getattr(Tamperer(size, whole, chance, signer, tile_store), way)()
        index, kinds = judged_by_audit(case, whole.saved, signer, tile_store)
        assert kinds, f"{number}: nothing was found"
        assert kinds & case.kinds, (number, size, kinds, case.kinds)
        assert index == case.index, (number, size, kinds)
        place(whole, exported(case))
        named, message = judged_by_tool(verify_log, whole.folder, whole.saved, signer)
        assert message is not None, f"{number}: the tool found nothing"
        least = case.index if case.known is None else case.known
        assert least == named or (case.known is not None and least <= named <= case.index + 256), (
            number,
            size,
            message,
        )


def test_logs_that_were_let_be_hold(wholes, signer, tile_store, verify_log):
    for whole in wholes.values():
        assert judged_by_audit(whole.case, whole.saved, signer, tile_store) == (None, set())
        place(whole, exported(whole.case))
        assert judged_by_tool(verify_log, whole.folder, whole.saved, signer) == (None, None)
