"""The environment of a run: what was installed when it ran, as one digest."""

import hashlib
import platform
import re
from importlib.metadata import distributions
from typing import Any

from trustplane.values.errors import BadInput

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?\Z")


def installed() -> tuple[str, ...]:
    """``name==version`` of every installed distribution, sorted."""
    found = {f"{re.sub(r'[-_.]+', '-', d.name).lower()}=={d.version}" for d in distributions()}
    return tuple(sorted(found))


def environment_facts() -> dict[str, Any]:
    """The interpreter, the machine's kind, and the digest over what is installed."""
    packages = installed()
    lock = hashlib.sha256("\n".join(packages).encode()).hexdigest()
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "machine": platform.machine(),
        "system": platform.system(),
        "packages": len(packages),
        "lock": f"sha256:{lock}",
        "installed": list(packages),
    }


def checked_git(state: dict[str, Any]) -> dict[str, Any]:
    """What the client says of its working tree: ``commit`` and ``dirty``. No remote: its URL may hold a password."""
    if not state:
        return {}
    commit, dirty = state.get("commit"), state.get("dirty")
    if set(state) != {"commit", "dirty"} or not isinstance(dirty, bool) or not _COMMIT.match(str(commit)):
        raise BadInput(
            "TP-RUN-012", "the git state is not usable", why="it has a commit's full hash and whether it is dirty"
        )
    return {"commit": commit, "dirty": dirty}
