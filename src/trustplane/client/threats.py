"""Threat models that a project keeps."""

from pathlib import Path

from trustplane.client.records import Record, Records
from trustplane.client.wire import Wire, segment
from trustplane.values.errors import BadInput

LONGEST = 1_000_000
"""Bytes of a file: the plane takes no more."""


class Threats:
    """The threat models of a project. ``NAME`` names the newest version of one, ``NAME@NUMBER`` that version."""

    def __init__(self, wire: Wire, project: str) -> None:
        self._wire = wire
        self._at = f"/projects/{segment(project)}/threats"

    def list(self) -> Records:
        """The newest version of each that you may see, the one that was kept last first."""
        return Records(map(Record, self._wire.get(self._at)["items"]))

    def get(self, threat: str) -> Record:
        """A version: its ``text``, what it says as ``model``, the other ``versions``, and the ``assessments`` that went by it."""
        return Record(self._wire.get(f"{self._at}/{segment(threat)}"))

    def keep(self, name: str, text: str | Path) -> Record:
        """Keep a threat model, a TOML text or the file that holds it, as the next version of a name.

        Where the newest version says the same already, the answer is that version and not ``new``.
        """
        said = read_text(text) if isinstance(text, Path) else text
        return Record(self._wire.post(self._at, {"name": name, "text": said}))

    def compare(self, before: str, after: str) -> Record:
        """The ``differences`` between two versions, each with its ``effect``: whether it lets the attacker do more or less."""
        return Record(self._wire.get(f"{self._at}/{segment(after)}/comparison", against=before))


def read_text(file: Path) -> str:
    """The text of a file, to the letter: it is kept as it is."""
    if not file.is_file():
        raise BadInput("TP-CLIENT-005", f"there is no file {file}")
    with file.open("rb") as opened:
        data = opened.read(LONGEST + 1)
    if len(data) > LONGEST:
        raise BadInput("TP-RUN-040", f"a threat model is at most {LONGEST:,} bytes long")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput("TP-RUN-040", f"{file} is no UTF-8 text", why=f"byte {error.start}") from None
