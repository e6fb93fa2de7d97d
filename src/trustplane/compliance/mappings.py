"""Which clauses of which framework each control answers to.

A framework is a TOML file: its clauses by id, and the clauses of each control. An entry point of the group ``trustplane.frameworks`` names
the package that the file ``<name>.toml`` lies in.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import ModuleType

from trustplane.kernel.plugins import group, load


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework: its clauses by id, with their titles, and the clauses of each control."""

    id: str
    title: str
    version: str
    clauses: dict[str, str]
    controls: dict[str, tuple[str, ...]]

    def controls_of(self, clause: str) -> tuple[str, ...]:
        """The controls that answer to a clause."""
        return tuple(control for control, clauses in self.controls.items() if clause in clauses)


@cache
def frameworks() -> tuple[Framework, ...]:
    """Every framework; a mapping to a clause that it does not name is a programming error."""
    return tuple(_read(entry.name, load(entry)) for entry in group("frameworks"))


def _read(name: str, package: ModuleType) -> Framework:
    raw = tomllib.loads(files(package).joinpath(f"{name}.toml").read_text("utf-8"))
    controls = {control: tuple(clauses) for control, clauses in raw["controls"].items()}
    unknown = {clause for clauses in controls.values() for clause in clauses} - set(raw["clauses"])
    if unknown:
        raise RuntimeError(f"{name} maps to {', '.join(sorted(unknown))}, which it does not name")
    return Framework(raw["id"], raw["title"], raw["version"], dict(raw["clauses"]), controls)


def clauses_by_control() -> dict[str, dict[str, list[str]]]:
    """The clauses of each control, by framework."""
    found: dict[str, dict[str, list[str]]] = {}
    for framework in frameworks():
        for control, clauses in framework.controls.items():
            found.setdefault(control, {})[framework.id] = list(clauses)
    return found
