"""Datasheets: drafted from what is on record, completed by people, written as Croissant 1.0 with the RAI vocabulary (MLCommons).

Gebru et al., Datasheets for Datasets (2021), ask the questions; https://docs.mlcommons.org/croissant/docs/croissant-spec-1.0.html and
croissant-rai-spec.html name the fields. A datasheet holds no row and no figure of an identifying column.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from trustplane.data.accepting import BY_POLICY
from trustplane.data.catalog import dataset_target, find_dataset, find_version
from trustplane.data.classes import PERSONAL, SensitivityClass
from trustplane.data.tables import Dataset, DatasetVersion, Datasheet
from trustplane.data.terms import LAWFUL_BASES, PURPOSES
from trustplane.kernel.identity.scopes import find_project
from trustplane.values.clock import rfc3339
from trustplane.values.errors import BadInput, nearest

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane

LONGEST = 5000


@dataclass(frozen=True, slots=True)
class Part:
    """A question that people answer. ``field`` is where the answer stands in Croissant."""

    field: str
    question: str
    asked: bool = True


PARTS: Mapping[str, Part] = {
    "collection": Part("rai:dataCollection", "How were the data collected?"),
    "collection_type": Part("rai:dataCollectionType", "What kind of collection was it: surveys, direct measurement, web scraping, …?", asked=False),
    "timeframe": Part("rai:dataCollectionTimeframe", "From when to when were they collected?"),
    "missing_data": Part("rai:dataCollectionMissingData", "What is missing, and why?", asked=False),
    "preprocessing": Part("rai:dataPreprocessingProtocol", "What was done to them before they came here?"),
    "labels": Part("rai:dataAnnotationProtocol", "How did the labels come about?", asked=False),
    "use_cases": Part("rai:dataUseCases", "What are they meant for, and what not?"),
    "biases": Part("rai:dataBiases", "Whom do they represent too little or wrongly?"),
    "limitations": Part("rai:dataLimitations", "Where do they fail?"),
    "social_impact": Part("rai:dataSocialImpact", "Whom could their use harm, and how?"),
    "maintenance": Part("rai:dataReleaseMaintenancePlan", "Who keeps them current, and how often?"),
    "license": Part("license", "Under which licence or contract may they be used?"),
    "citation": Part("citeAs", "How are they cited?", asked=False),
}  # fmt: skip
"""The questions, by name. Those that are ``asked`` must be answered for a datasheet to be complete."""

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES = (("bool", "sc:Boolean"), ("int", "sc:Integer"), ("uint", "sc:Integer"), ("float", "sc:Float"), ("double", "sc:Float"), ("decimal", "sc:Float"), ("half", "sc:Float"), ("date", "sc:Date"), ("timestamp", "sc:DateTime"))  # fmt: skip
_STATES = {None: "proposed, not confirmed", BY_POLICY: "accepted by a policy"}
_NO_LICENCE = "not declared"


def complete_datasheet(plane: "Plane", actor: "Actor", project: str, dataset: str, parts: Mapping[str, str]) -> None:
    """Answer questions of a dataset's datasheet; an empty answer takes one back."""
    for name, text in parts.items():
        if name not in PARTS:
            raise BadInput("TP-DATA-079", f"{name[:40]!r} is no part of a datasheet", why=nearest(name, PARTS))
        if len(text) > LONGEST:
            raise BadInput("TP-DATA-079", f"the part {name} has {len(text):,} characters, at most {LONGEST:,} are kept")
    if not parts:
        raise BadInput("TP-DATA-079", "say at least one part", why=f"there are {', '.join(PARTS)}")
    with plane.database.read() as session:
        row = find_dataset(session, find_project(session, project).id, dataset)
        target = dataset_target(session, row)
    with plane.operation(actor, "dataset.update", target) as op:
        sheet = op.session.get(Datasheet, row.id, with_for_update=True)
        if sheet is None:
            sheet = Datasheet(dataset_id=row.id, parts={}, written_by="", written_at=plane.clock.now())
            op.session.add(sheet)
        said = {**sheet.parts, **{name: text.strip() for name, text in parts.items()}}
        sheet.parts = {name: said[name] for name in PARTS if said.get(name)}
        sheet.written_by, sheet.written_at = actor.answerable, plane.clock.now()
        op.record(datasheet=sorted(parts), complete=not missing_parts(sheet.parts))


def parts_of(session: Session, dataset: Dataset) -> Mapping[str, str]:
    """What people have said of a dataset."""
    sheet = session.get(Datasheet, dataset.id)
    return {} if sheet is None else sheet.parts


def missing_parts(parts: Mapping[str, str]) -> tuple[str, ...]:
    """The questions that must be answered and are not."""
    return tuple(name for name, part in PARTS.items() if part.asked and not parts.get(name))


def croissant(session: Session, dataset: Dataset, number: int | None = None, *, origin: str) -> dict[str, Any]:
    """The datasheet of a version as Croissant JSON-LD. The object that it names is encrypted: its digest is that of the ciphertext."""
    version = find_version(session, dataset, number)
    parts = parts_of(session, dataset)
    said = {part.field: parts[name] for name, part in PARTS.items() if parts.get(name)}
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": dataset.name,
        "description": dataset.description or f"{dataset.name}, from {dataset.source or 'an undeclared source'}",
        "conformsTo": ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"],
        "creator": {"@type": "sc:Organization", "name": origin},
        "datePublished": rfc3339(version.created)[:10],
        "license": _NO_LICENCE,
        "url": f"https://{origin}/datasets/{dataset.id}",
        "version": f"{version.number}.0.0",
        "isLiveDataset": False,
        "keywords": [PURPOSES.get(p, p) for p in dataset.purposes],
        "rai:personalSensitiveInformation": _personal(dataset, version),
        **said,
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": "table",
                "name": "table",
                "description": "Parquet with modular encryption; rows come through a view alone",
                "contentUrl": f"sha256/{version.digest.removeprefix('sha256:')}",
                "encodingFormat": "application/x-parquet",
                "contentSize": f"{version.size} B",
                "sha256": version.digest.removeprefix("sha256:"),
            }
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "rows",
                "name": "rows",
                "description": f"{version.rows} rows",
                "field": [_field(name, kind, version.classes[name]) for name, kind in version.columns["types"].items()],
            }
        ],
    }


def _field(name: str, kind: str, klass: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"rows/{name}",
        "name": name,
        "description": f"{klass}",
        "dataType": next((term for prefix, term in _TYPES if kind.startswith(prefix)), "sc:Text"),
        "source": {"fileObject": {"@id": "table"}, "extract": {"column": name}},
    }


def _personal(dataset: Dataset, version: DatasetVersion) -> list[str]:
    """Which personal data there are, on what legal basis, for how long."""
    personal = {str(each) for each in PERSONAL}
    found = [
        f"{klass}: {', '.join(names)}"
        for klass in map(str, SensitivityClass)
        if klass in personal and (names := [c for c, k in version.classes.items() if k == klass])
    ]
    basis = LAWFUL_BASES.get(dataset.lawful_basis, dataset.lawful_basis)
    days = "no retention is declared" if dataset.retention_days is None else f"kept for {dataset.retention_days} days"
    state = _STATES.get(version.confirmed_by, "confirmed by a data steward")
    return [*found, f"the classes are {state}", f"processed for {', '.join(dataset.purposes)} on {basis}", days]
