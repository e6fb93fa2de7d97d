"""A plane for the benchmarks: a project with a data steward."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trustplane.kernel.founding import found
from trustplane.kernel.identity import principals as people
from trustplane.kernel.identity.actors import Actor
from trustplane.kernel.identity.scopes import find_project, project_target
from trustplane.kernel.plane import Plane
from trustplane.kernel.settings import Settings

PURPOSE = "dpv:ServiceProvision"


@contextmanager
def plane_with_steward(place: Path) -> Iterator[tuple[Plane, Actor, Actor]]:
    """A new plane in ``place`` with the project ``credit``; its owner, and a data steward."""
    made = found(place / "plane", "ada", settings=Settings())
    with Plane(made.workspace) as plane:
        owner = plane.stand_in(made.owner_id, ("*",))
        people.create_project(plane, owner, "credit")
        with plane.database.read() as session:
            scope = project_target(find_project(session, "credit"))
        steward = people.create_principal(plane, owner, people.PrincipalSpec("user", "steward"))
        people.grant(plane, owner, steward, "data-steward", scope)
        yield plane, owner, plane.stand_in(steward, ("*",))
