"""What a scan tells: as plain facts, and as SARIF 2.1.0 for code review and CI."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from trustplane import __version__
from trustplane.release.scanning.contract import Objection, Rule
from trustplane.release.scanning.scan import Scanned, scan_paths, told, verdict
from trustplane.values.outcomes import Failed, Inconclusive, Passed

PASSED, REFUSED, NOT_CHECKED = "passed", "refused", "not-checked"
MEANINGS: Mapping[Rule, str] = {
    Rule.UNKNOWN_FORMAT: "The file is of no format that is known. What is not known is refused.",
    Rule.UNKNOWN_MEMBER: "The archive has a member that files of its kind do not have.",
    Rule.UNKNOWN_GLOBAL: "Loading the file would import and use a name that no model of a known library needs.",
    Rule.UNSAFE_OPERATION: "The file makes its reader do more than build a model.",
    Rule.HOLDS_CODE: "The file holds code that its reader runs.",
    Rule.DAMAGED: "The file cannot be read to its end by the rules of its format.",
    Rule.DISGUISED: "Two readers of the file would see different things, or it holds more than it shows.",
    Rule.OUTSIDE: "The file reaches outside of itself: links, devices, names that lead out of a folder.",
    Rule.TOO_MUCH: "Judging the file takes more than a scan may use.",
    Rule.TOO_DEEP: "Archives are nested deeper than a model needs.",
    Rule.UNREADABLE: "The file could not be read, or changed meanwhile.",
    Rule.NOT_CHECKED: "The file could not be checked here; it does not pass.",
}
_WORDS = {Passed: PASSED, Failed: REFUSED, Inconclusive: NOT_CHECKED}


def scan(paths: Sequence[Path], each: Callable[[dict[str, Any]], None] = lambda _facts: None) -> dict[str, Any]:
    """Scan files and folders; ``each`` is told of every file as soon as it is judged. The answer holds all and their counts."""
    items = []
    for scanned in scan_paths(paths):
        items.append(facts(scanned))
        each(items[-1])
    counts = {
        word.replace("-", "_"): sum(i["verdict"] == word for i in items) for word in (PASSED, REFUSED, NOT_CHECKED)
    }
    return {"items": items, **counts}


def facts(scanned: Scanned) -> dict[str, Any]:
    """One file's outcome as plain facts."""
    judged = scanned.judgement
    return {
        "path": scanned.path,
        "size": scanned.size,
        "digest": scanned.digest,
        "format": judged.format,
        "verdict": _WORDS[type(verdict(scanned))],
        "loads_code": judged.loads_code,
        "globals": list(judged.globals),
        "objections": [objection_facts(o) for o in judged.objections],
        "facts": dict(judged.facts),
    }


def objection_told(facts: Mapping[str, Any]) -> str:
    """An objection that was kept as plain facts in one line, with where it is."""
    place, offset = tuple(facts["place"]), -1 if facts["offset"] is None else facts["offset"]
    return told(Objection(Rule(facts["rule"]), facts["message"], place, facts["subject"], offset))


def objection_facts(objection: Objection) -> dict[str, Any]:
    """One objection as plain facts."""
    return {
        "rule": str(objection.rule),
        "message": objection.message,
        "place": list(objection.place),
        "subject": objection.subject,
        "offset": objection.offset if objection.offset >= 0 else None,
    }


def sarif(items: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The outcomes as SARIF 2.1.0 (OASIS, 2020): an objection is a result, a file an artifact with its hash."""
    rules = [{"id": str(rule), "shortDescription": {"text": meaning}} for rule, meaning in MEANINGS.items()]
    places = {str(rule): place for place, rule in enumerate(MEANINGS)}
    artifacts, results = [], []
    for number, item in enumerate(items):
        location = {"uri": _uri(item["path"]), "index": number}
        hashes = {"hashes": {"sha-256": item["digest"].removeprefix("sha256:")}} if item["digest"] else {}
        artifacts.append({"location": {"uri": location["uri"]}, "length": item["size"], **hashes})
        results += [_result(o, location, places) for o in item["objections"]]
    driver = {"name": "trustplane scan", "version": __version__, "semanticVersion": __version__, "rules": rules}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {"tool": {"driver": driver}, "artifacts": artifacts, "results": results, "columnKind": "unicodeCodePoints"}
        ],
    }


def _result(objection: Mapping[str, Any], artifact: Mapping[str, Any], places: Mapping[str, int]) -> dict[str, Any]:
    rule = objection["rule"]
    physical: dict[str, Any] = {"artifactLocation": dict(artifact)}
    if objection["offset"] is not None and not objection["place"]:
        physical["region"] = {"byteOffset": objection["offset"], "byteLength": 1}
    place = "!".join(objection["place"])
    at = f" at byte {objection['offset']:,}" if objection["offset"] is not None else ""
    location: dict[str, Any] = {"physicalLocation": physical}
    if place:
        location["logicalLocations"] = [{"fullyQualifiedName": place, "kind": "member"}]
    return {
        "ruleId": rule,
        "ruleIndex": places[rule],
        "level": "warning" if rule == Rule.NOT_CHECKED else "error",
        "message": {"text": f"{objection['message']}{at}{f' of {place}' if place else ''}"},
        "locations": [location],
    }


def _uri(path: str) -> str:
    from urllib.parse import quote

    return (
        quote(path.removeprefix("./"), safe="/._-~")
        if not path.startswith("/")
        else f"file://{quote(path, safe='/._-~')}"
    )
