"""What is asked for: a script, a notebook or a function, with all that makes its run; checked before anything starts."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

import msgspec

from trustplane.training.profiles import USUAL, Profile, check_within, find_profile
from trustplane.training.sandboxes.contract import GIB, MIB, Limits
from trustplane.values.errors import BadInput

LONGEST = timedelta(days=2)
_NOTEBOOK = ".ipynb"


class RunKind(StrEnum):
    """What is run: a script, a notebook whose executed copy is kept, a function of a module, or the conversion of a model."""

    SCRIPT = "script"
    NOTEBOOK = "notebook"
    CALLABLE = "callable"
    CONVERSION = "conversion"


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What is to be run: a script among its files, on views, with parameters and a seed. ``reason`` says why without a sandbox.

    ``entry`` is the function to call where the kind is ``callable``. Without ``limits`` those of the profile hold. ``author`` is who
    answers for it where that is not who asks: a model stays its author's when someone else converts it.
    """

    script: str
    files: Mapping[str, bytes] = field(repr=False)
    views: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    limits: Limits | None = None
    git: Mapping[str, Any] = field(default_factory=dict)
    sandbox: str = "sandlock"
    reason: str = ""
    kind: str = RunKind.SCRIPT
    entry: str = ""
    profile: str = USUAL
    author: str = ""

    @property
    def bounds(self) -> Limits:
        """What it may use."""
        return find_profile(self.profile).limits if self.limits is None else self.limits


def check_kind(spec: RunSpec) -> None:
    """The script fits its kind: a notebook of format 4, or a module with the name of a function."""
    if spec.kind not in set(RunKind):
        raise BadInput("TP-RUN-025", f"no run is of the kind {spec.kind[:40]!r}", fix=f"choose {', '.join(RunKind)}")
    if spec.kind == RunKind.CALLABLE:
        whole = all(part.isidentifier() for part in module_of(spec.script).split("."))
        if not spec.entry.isidentifier() or len(spec.entry) > 100 or not spec.script.endswith(".py") or not whole:
            raise BadInput("TP-RUN-025", "a function is named by its module's file and its own name")
    elif spec.entry:
        raise BadInput("TP-RUN-025", f"a {spec.kind} has no function to call")
    if spec.kind == RunKind.NOTEBOOK:
        _check_notebook(spec.script, spec.files.get(spec.script, b""))


def module_of(script: str) -> str:
    """The dotted name of a module by its file below the folder of the code."""
    return script.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _check_notebook(script: str, data: bytes) -> None:
    try:
        said = msgspec.json.decode(data, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise BadInput("TP-RUN-024", "the notebook is not JSON") from None
    if not script.endswith(_NOTEBOOK) or said.get("nbformat") != 4 or not isinstance(said.get("cells"), list):
        raise BadInput(
            "TP-RUN-024", "this is no notebook of format 4", why=f"its format is {said.get('nbformat')!r}"[:80]
        )


def checked_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters; raise unless each is a plain value under a plain name."""
    kept: dict[str, Any] = {}
    for name, value in parameters.items():
        plain = isinstance(value, str | bool | int | float) and (not isinstance(value, float) or math.isfinite(value))
        whole = not isinstance(value, int) or abs(value) < 2**53
        if not name.isidentifier() or len(name) > 64 or not plain or not whole or not _recordable(str(value), 1000):
            raise BadInput("TP-RUN-015", f"the parameter {name[:64]!r} is not usable")
        kept[name] = value
    if len(kept) > 200:
        raise BadInput("TP-RUN-015", "a run has at most 200 parameters")
    return kept


def checked_reason(text: str) -> str:
    """Why there is no sandbox; raise unless something is said that can be kept."""
    reason = text.strip()
    if not reason:
        raise BadInput("TP-RUN-013", "a run without a sandbox needs a reason")
    if not _recordable(reason, 2000):
        raise BadInput("TP-RUN-013", "the reason cannot be recorded", why="it has at most 2,000 characters, and no NUL")
    return reason


def _recordable(text: str, longest: int) -> bool:
    """Whether every store takes the text: PostgreSQL holds no NUL, and a lone surrogate is no character."""
    return len(text) <= longest and not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text)


def check_limits(spec: RunSpec) -> Profile:
    """The profile of the run; raise unless its limits are sane and within it."""
    limits, profile = spec.bounds, find_profile(spec.profile)
    sane = (
        64 * MIB <= limits.memory_bytes <= 1024 * GIB
        and 1 <= limits.processes <= 4096
        and 1 <= limits.threads <= 65_536
        and 1 <= limits.wall_seconds <= LONGEST.total_seconds()
        and 1 <= limits.cpu_seconds <= LONGEST.total_seconds() * 64
        and 16 <= limits.open_files <= 1_048_576
        and 1 <= limits.output_bytes <= 1024 * GIB
        and 1 <= limits.output_files <= 100_000
        and 1 <= limits.log_bytes <= 64 * MIB
    )
    if not sane or not 0 <= spec.seed < 2**32:
        raise BadInput("TP-RUN-016", "a limit or the seed of the run is out of bounds")
    check_within(limits, profile)
    return profile
