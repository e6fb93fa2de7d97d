"""The steps of a recipe: which column goes through which transforms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from trustplane.data.classes import SensitivityClass
from trustplane.data.transforms.contract import Keys, Transform
from trustplane.data.transforms.registry import make_transform
from trustplane.values.errors import BadInput, nearest

_OWN = {"do", "column", "columns", "class"}


@dataclass(frozen=True, slots=True)
class Step:
    """What is done to columns that are named, or to those of a class that no other step names."""

    do: str
    options: Mapping[str, Any]
    columns: tuple[str, ...] = ()
    klass: str = ""


@dataclass(frozen=True, slots=True)
class Treatment:
    """What becomes of one column, step by step."""

    column: str
    steps: tuple[Step, ...]
    transforms: tuple[Transform, ...]

    @property
    def dropped(self) -> bool:
        """Whether nothing of it is left."""
        return any(step.do == "drop" for step in self.steps)

    @property
    def hides(self) -> bool:
        """Whether no identifier can be read from the result."""
        return any(t.hides for t in self.transforms)

    @property
    def follows(self) -> bool:
        """Whether a person can be found in the result by whoever has the keys."""
        return any(t.follows for t in self.transforms)


def read_steps(said: Any) -> tuple[Step, ...]:
    """The steps that a recipe says, their options tried; raise :class:`BadInput` (TP-DATA-130)."""
    if not isinstance(said, list) or not all(isinstance(each, dict) for each in said):
        raise BadInput("TP-DATA-130", "steps are tables: [[steps]]")
    return tuple(_read(number, each) for number, each in enumerate(said, start=1))


def _read(number: int, said: Mapping[str, Any]) -> Step:
    named = [said[k] for k in ("column", "columns", "class") if k in said]
    if len(named) != 1 or not isinstance(said.get("do"), str):
        raise BadInput("TP-DATA-130", f"step {number} says what to do, and one of column, columns and class")
    columns: Any = [said["column"]] if "column" in said else said.get("columns", [])
    if (
        not isinstance(columns, list)
        or not all(isinstance(c, str) for c in columns)
        or (not columns and "class" not in said)
    ):
        raise BadInput("TP-DATA-130", f"step {number} does not name its columns")  # fmt: skip
    klass = said.get("class", "")
    if klass and klass not in set(SensitivityClass):
        raise BadInput("TP-DATA-130", f"step {number}: {str(klass)[:40]!r} is no sensitivity class", why=nearest(str(klass), list(SensitivityClass)))  # fmt: skip
    options = {k: v for k, v in said.items() if k not in _OWN}
    make_transform(said["do"], options)
    return Step(said["do"], options, tuple(dict.fromkeys(columns)), str(klass))


def treatments_of(steps: Sequence[Step], classes: Mapping[str, str]) -> dict[str, Treatment]:
    """What becomes of each column that a step is about; ``classes`` are the columns there are. Raise :class:`BadInput` (TP-DATA-130)."""
    named = {c for step in steps for c in step.columns}
    for column in named:
        if column not in classes:
            raise BadInput("TP-DATA-130", f"there is no column {column[:80]!r}", why=nearest(column, list(classes)))
    taken: dict[str, list[Step]] = {}
    for step in steps:
        for column in step.columns or [c for c, k in classes.items() if k == step.klass and c not in named]:
            taken.setdefault(column, []).append(step)
    return {c: _treatment(c, taken[c]) for c in classes if c in taken}


def _treatment(column: str, steps: Sequence[Step]) -> Treatment:
    made = Treatment(column, tuple(steps), tuple(make_transform(s.do, s.options) for s in steps))
    if len(steps) > 1 and (made.follows or made.dropped):
        raise BadInput(
            "TP-DATA-130", f"the step on {column[:80]!r} that drops it or gives it other names is its only one"
        )
    return made


def treat(table: Any, treatments: Mapping[str, Treatment], keys: Keys) -> tuple[Any, list[dict[str, Any]]]:
    """The table after the steps, and what each changed: plain figures that hold no value."""
    said = []
    for name, treatment in treatments.items():
        if treatment.dropped:
            if name in table.column_names:
                table = table.drop_columns([name])
            said.append({"column": name, "do": ["drop"]})
            continue
        before = table[name].combine_chunks() if table.num_rows else pa.array([], table.schema.field(name).type)
        after = before
        for transform in treatment.transforms:
            after = transform.apply(after, keys)
        table = table.set_column(table.column_names.index(name), name, after)
        said.append({"column": name, "do": [s.do for s in treatment.steps], **_change(before, after)})
    return table, said


def _change(before: Any, after: Any) -> dict[str, Any]:
    """How far a column is from what it was: distinct values, the share of values that changed, and for numbers how far they moved."""
    if not len(before) or pa.types.is_nested(before.type):
        return {}
    figures: dict[str, Any] = {
        "distinct_before": pc.count_distinct(before).as_py(),
        "distinct_after": pc.count_distinct(after).as_py(),
        "changed": _share(pc.not_equal(_text(before), _text(after))),
    }
    if _numeric(before) and _numeric(after):
        was, now = before.cast(pa.float64(), safe=False), after.cast(pa.float64(), safe=False)
        spread = pc.stddev(was).as_py() or 0.0
        moved = pc.mean(pc.abs(pc.subtract(now, was))).as_py() or 0.0
        figures["moved"] = round(moved / spread, 6) if spread else 0.0
    return figures


def _share(mask: Any) -> float:
    return round(float(pc.mean(mask.cast(pa.float64())).as_py() or 0.0), 6)


def _text(values: Any) -> Any:
    return values if pa.types.is_string(values.type) else values.cast(pa.string())


def _numeric(values: Any) -> bool:
    return bool(pa.types.is_integer(values.type) or pa.types.is_floating(values.type))
