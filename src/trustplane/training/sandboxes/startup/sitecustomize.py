"""What every Python in a sandbox does first; ``PYTHONPATH`` leads here.

The sandbox shows that ``/proc/self`` is there and lets nobody read it. threadpoolctl, which scikit-learn's k-means and skops ask for the
libraries in the process, takes its being there for leave to read, and ends the script. It is told to ask the linker, as it does where
there is no ``/proc``. A ``sitecustomize`` of the environment's own is imported after this one.
"""

import contextlib
import sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

_HERE = str(Path(__file__).parent)
_ASKING = "threadpoolctl"


class _Told:
    """Finds one module as usual, and changes one name in it once it is there."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """The spec of the module, whose loader tells it; ``None`` for every other."""
        if name != _ASKING:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: Any) -> None:
            execute(module)
            module._HAS_PROCFS = False  # noqa: SLF001 - there is no other way to say so

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _Told)
_next = PathFinder.find_spec(__name__, [entry for entry in sys.path if entry != _HERE])
if _next is not None and _next.loader is not None:
    with contextlib.suppress(Exception):  # as site does: what it breaks is not the script's
        _next.loader.exec_module(module_from_spec(_next))
