"""``python -m trustplane.training.runners.call FOLDER MODULE FUNCTION``: imports a module and calls a function of it.

Runs inside the sandbox. The function is given the parameters of the run by name, and of ``views``, ``output`` and ``seed`` those that it
asks for. A mapping that it returns is logged as its metrics.
"""

import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any

from trustplane.training import log
from trustplane.training.runners.given import Given, given, seed_all


def main(folder: str, module: str, entry: str) -> None:
    """Call the function."""
    sys.path.insert(0, folder)
    function = getattr(importlib.import_module(module), entry)
    told = given()
    seed_all(told.seed)
    result = function(**arguments(function, told))
    if isinstance(result, Mapping):
        for name, value in result.items():
            if isinstance(value, bool) or not hasattr(value, "__float__"):
                raise TypeError(f"the function returned {name!r}, which is no number; write other results to a file")
            log.metric(str(name), value)
    elif result is not None:
        raise TypeError("the function returned something other than a mapping of metrics; write results to a file")


def arguments(function: Callable[..., Any], told: Given) -> dict[str, Any]:
    """What to call a function with; a parameter that it does not take is an error of its own."""
    offered = {"views": told.views, "output": told.output, "seed": told.seed}
    takes = inspect.signature(function).parameters
    return {**{name: value for name, value in offered.items() if name in takes}, **told.parameters}


if __name__ == "__main__":
    main(*sys.argv[1:])
