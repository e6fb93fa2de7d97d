"""The application for embedded use: found by entry point, so that the SDK needs no part of the server to be installed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from trustplane.values.errors import missing_extra

GROUP = "trustplane.app"


def part(name: str) -> Any:
    """What the entry point ``name`` of ``trustplane.app`` names; raise an error that names the extra if it is not installed."""
    found = [entry for entry in entry_points(group=GROUP) if entry.name == name]
    if not found:
        raise missing_extra("trustplane", "plane", "a workspace on this machine")
    try:
        return found[0].load()
    except ModuleNotFoundError as error:
        raise missing_extra(error.name or "of the server", "plane", "a workspace on this machine") from error


def application(workspace: Path) -> Any:
    """The application of a workspace."""
    return part("application")(workspace)


def found(workspace: Path, owner: str, password: str | None) -> dict[str, Any]:
    """Make a workspace; the answer holds the first owner's token."""
    made: dict[str, Any] = part("found")(workspace, owner, password)
    return made


def upgrade(workspace: Path) -> dict[str, Any]:
    """Bring a workspace of an earlier version forward; the answer names the schema before and after."""
    made: dict[str, Any] = part("upgrade")(workspace)
    return made


def serve(workspace: Path, host: str, port: int) -> None:
    """Serve a workspace until the process is told to end."""
    part("serve")(workspace, host, port)


def evaluate_discovery(
    corpus: Path, aliases: Mapping[str, str], overlap: float, join: Sequence[str] = ()
) -> dict[str, Any]:
    """How well the recognisers that are installed here find the spans of a corpus."""
    figures: dict[str, Any] = part("evaluate-discovery")(corpus, aliases, overlap, join)
    return figures


def scan(*paths: Path | str) -> list[dict[str, Any]]:
    """Judge files and folders by their content, loading none of them: for each file its digest, format, verdict and what speaks against it.

    No workspace is needed, and nothing is kept. ``verdict`` is ``passed``, ``refused`` or ``not-checked``.
    """
    items: list[dict[str, Any]] = part("scan")([Path(path) for path in paths])["items"]
    return items


def scanned(paths: Sequence[Path], each: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Scan files and folders, and tell of each as soon as it is judged."""
    outcome: dict[str, Any] = part("scan")(paths, each)
    return outcome


def sarif(items: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The outcomes of a scan as SARIF 2.1.0."""
    made: dict[str, Any] = part("scan-sarif")(items)
    return made


def draft_threat(
    table: Any, label: str | None, immutable: list[str], knowledge: str, name: str, features: list[str]
) -> str:
    """A threat model drafted from a file or an Arrow table; it needs what a plane needs, and no plane."""
    text: str = part("draft-threat")(table, label, immutable, knowledge, name, features)
    return text


def check_threat(text: str, table: Path | None = None) -> dict[str, Any]:
    """What a threat model says, or everything that is wrong with it."""
    facts: dict[str, Any] = part("check-threat")(text, table)
    return facts
