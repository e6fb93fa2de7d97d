"""A recipe: steps for single columns, and how alike rows must be afterwards. One readable TOML file."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trustplane.data.anonymity.recipes import Recipe, recipe_of
from trustplane.data.transforms.steps import Step, Treatment, read_steps, treatments_of
from trustplane.values.errors import BadInput


@dataclass(frozen=True, slots=True)
class Plan:
    """What a recipe says: the steps, then the model of the table, where there is one. ``keep`` are columns that stay as they are; ``label``
    is the one that a model is to learn from the others, before and after."""

    steps: tuple[Step, ...]
    model: Recipe | None
    keep: tuple[str, ...]
    digest: str
    label: str = ""

    def treatments(self, classes: Mapping[str, str]) -> dict[str, Treatment]:
        """What becomes of each column that a step is about, of the columns in ``classes``."""
        return treatments_of(self.steps, classes)

    def columns(self, treatments: Mapping[str, Treatment]) -> tuple[str, ...]:
        """The columns of the result, in order."""
        named = self.keep if self.model is None else self.model.columns
        return tuple(dict.fromkeys((*(c for c in named if c not in treatments or not treatments[c].dropped), *(c for c, t in treatments.items() if not t.dropped))))  # fmt: skip


def read_plan(text: str) -> Plan:
    """The plan that a TOML text says; raise :class:`BadInput` (TP-DATA-060, 061, 130) with all that is wrong with its words."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput("TP-DATA-060", "the recipe is no TOML", why=str(error)[:200]) from None
    digest = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    steps = read_steps(said.pop("steps")) if "steps" in said else ()
    label = said.pop("label", "")
    if not isinstance(label, str):
        raise BadInput("TP-DATA-060", "the recipe cannot be used", why="label is a column")
    keep = _keep(said)
    if steps and not set(said) - {"keep"}:
        return Plan(steps, None, keep, digest, label)
    return Plan(steps, recipe_of(said, digest), keep, digest, label)


def _keep(said: Mapping[str, Any]) -> tuple[str, ...]:
    keep = said.get("keep", [])
    if not isinstance(keep, list) or not all(isinstance(c, str) for c in keep):
        raise BadInput("TP-DATA-060", "the recipe cannot be used", why="keep is a list of columns")
    return tuple(dict.fromkeys(keep))
