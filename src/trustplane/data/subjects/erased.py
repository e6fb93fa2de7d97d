"""What a request erased, as people are told of it."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from trustplane.data.tables import Dataset, SubjectRequest


@dataclass(frozen=True, slots=True)
class Erased:
    """Rows of one version of a dataset (``kind`` is ``rows``), or the records of one other place, and the event that certifies it."""

    kind: str
    place: str
    name: str
    version: int | None
    rows: int
    event: str


def erased_by(session: Session, request: SubjectRequest) -> list[Erased]:
    """What a request erased, place by place."""
    made = []
    for place, said in request.erased.items():
        if "records" in said:
            made.append(Erased(said["kind"], place, said["name"], None, said["records"], said["event"]))
            continue
        name = session.get_one(Dataset, place).name
        made += [Erased("rows", place, name, v["number"], v["rows"], said["event"]) for v in said["versions"].values()]
    return made
