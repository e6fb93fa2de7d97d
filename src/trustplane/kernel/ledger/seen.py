"""What a verifier has seen: every checkpoint that held, one JSON string a line, in a file that is only added to.

``tools/verify_log.py`` keeps the same file. A log that was rolled back or rewritten since cannot continue what stands there, so keep
it where whoever could change the log cannot.
"""

import json
import os
from pathlib import Path

from trustplane.values.errors import BadInput, Unavailable


def load(file: Path) -> list[str]:
    """The notes in ``file``, the oldest first; none where there is no file. A last line that a crash cut short is passed over."""
    try:
        whole = file.read_bytes().rpartition(b"\n")[0]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unusable(file, error) from error
    notes = []
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            note = json.loads(line)
        except ValueError:
            note = None
        if not isinstance(note, str):
            raise BadInput("TP-LEDGER-030", f"line {number} of {file} is not a checkpoint in a JSON string")
        notes.append(note)
    return notes


def save(file: Path, note: str) -> None:
    """Add ``note``, durably, unless it stands there already."""
    if note in load(file):
        return
    line = json.dumps(note).encode() + b"\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(handle, "r+b") as out:
            out.seek(out.read().rfind(b"\n") + 1)
            out.truncate()
            out.write(line)
            out.flush()
            os.fsync(handle)
        folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise _unusable(file, error) from error


def _unusable(file: Path, error: OSError) -> Unavailable:
    return Unavailable("TP-LEDGER-031", f"{file} cannot be used", why=error.strerror or "")
