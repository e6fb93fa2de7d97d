"""Data contracts, and the quarantine of versions that break them."""

from trustplane.client.records import Record
from trustplane.client.wire import Wire, segment


class Contracts:
    """What the versions of a project's datasets must keep to."""

    def __init__(self, wire: Wire, project: str) -> None:
        self._wire = wire
        self._at = f"/projects/{segment(project)}/datasets"

    def get(self, dataset: str) -> Record:
        """The contract: its ``text``, who wrote it, and the numbers of the versions that are ``quarantined``."""
        return Record(self._wire.get(f"{self._at}/{segment(dataset)}/contract"))

    def draft(self, dataset: str) -> str:
        """A contract that the newest version keeps, as TOML: a start."""
        return str(self._wire.get(f"{self._at}/{segment(dataset)}/contract/draft")["text"])

    def set(self, dataset: str, text: str) -> Record:
        """Give a dataset a contract, a TOML text. Versions that come from now on are checked."""
        return Record(self._wire.put(f"{self._at}/{segment(dataset)}/contract", {"text": text}))

    def report(self, dataset: str, number: int) -> Record:
        """What a version broke: rules and rows, counted from 1."""
        return Record(self._wire.get(f"{self._at}/{segment(dataset)}/versions/{number}/report"))

    def release(self, dataset: str, number: int, *, reason: str) -> Record:
        """Let a version out of quarantine."""
        return Record(self._wire.post(f"{self._at}/{segment(dataset)}/versions/{number}/release", {"reason": reason}))
