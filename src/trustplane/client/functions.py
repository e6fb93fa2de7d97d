"""A function as code that can be sent: the source of its module with what that imports beside it, never a pickle.

A function of a module is sent as the module, with the modules of the same folder or package that it imports. One that was typed in a
notebook, or lies in the main program, is sent as its own source: then it must not use names of the program around it, which are not there.
"""

import ast
import builtins
import inspect
import sys
import sysconfig
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trustplane.values.errors import BadInput

_ALONE = "function.py"
_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Sent:
    """A function as files of code: the module's file, the function's name in it, and the folder that the files come from."""

    script: str
    entry: str
    files: dict[str, bytes]
    folder: Path


def source_of(function: Callable[..., Any]) -> Sent:
    """The code of a function; raise :class:`BadInput` where it hangs on more than its source."""
    if not inspect.isfunction(function):
        raise _refusal(f"a {type(function).__name__} is no function", "only functions written with 'def' have a source")
    name = function.__name__
    if name == "<lambda>":
        raise _refusal("a lambda has no name to call it by", "write it with 'def'")
    if function.__closure__:
        free = ", ".join(function.__code__.co_freevars)
        raise _refusal(f"{name!r} is a closure", f"it uses {free} of the function around it")
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise _refusal(f"{name!r} does not run to its end when called", "it is a coroutine or a generator")
    if function.__module__ == "__main__":
        return _alone(function)
    if function.__qualname__ != name:
        raise _refusal(
            f"{function.__qualname__!r} lies within a class or a function",
            "only functions of a module can be found again",
        )
    return _with_module(function)


def _alone(function: Callable[..., Any]) -> Sent:
    """A function of the main program, as its own source."""
    name = function.__name__
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        raise _refusal(f"the source of {name!r} cannot be found", "it was not typed in a file or a notebook") from None
    tree = ast.parse(source)
    defined = tree.body[0]
    if not isinstance(defined, ast.FunctionDef):
        raise _refusal(f"{name!r} is not defined by a 'def' of its own", "")
    if defined.decorator_list:
        raise _refusal(f"{name!r} is decorated", "its decorators belong to the program around it")
    if strange := sorted(_names_around(function)):
        raise _refusal(f"{name!r} uses {', '.join(strange)} of the program around it", "they are not sent with it")
    return Sent(_ALONE, name, {_ALONE: source.encode()}, Path.cwd())


def _names_around(function: Callable[..., Any]) -> Iterator[str]:
    """The global names that a function, and the functions within it, look up; but not those that Python brings."""
    waiting = [function.__code__]
    while waiting:
        code = waiting.pop()
        waiting += [constant for constant in code.co_consts if inspect.iscode(constant)]
        for instruction in _instructions(code):
            if instruction not in {function.__name__, *dir(builtins)}:
                yield instruction


def _instructions(code: Any) -> set[str]:
    import dis

    return {i.argval for i in dis.get_instructions(code) if i.opname in {"LOAD_GLOBAL", "LOAD_NAME"}}


def _with_module(function: Callable[..., Any]) -> Sent:
    module = sys.modules.get(function.__module__)
    file = getattr(module, "__file__", None)
    if file is None or not file.endswith(".py"):
        raise _refusal(f"the module of {function.__name__!r} has no source file", "")
    path = Path(file).resolve()
    if any(path.is_relative_to(place) for place in _installed()):
        raise _refusal(
            f"{function.__module__} is installed software",
            "its version is on record as such; call it from a function of yours",
        )
    root = path
    for _ in function.__module__.split(".") if path.name != "__init__.py" else (*function.__module__.split("."), ""):
        root = root.parent
    files: dict[str, bytes] = {}
    _gather(path, root, files)
    return Sent(str(path.relative_to(root)), function.__name__, files, root)


def _installed() -> set[Path]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return {Path(sysconfig.get_paths()[name]).resolve() for name in names}


def _gather(path: Path, root: Path, files: dict[str, bytes]) -> None:
    """The module, the packages around it, and whatever of the same root it imports, by reading its import statements."""
    waiting = [path]
    while waiting and len(files) <= _MOST:
        file = waiting.pop()
        name = str(file.relative_to(root))
        if name in files:
            continue
        files[name] = file.read_bytes()
        waiting += [p / "__init__.py" for p in file.parents if p.is_relative_to(root) and (p / "__init__.py").is_file()]
        waiting += _imported(file, root, files[name])


def _imported(file: Path, root: Path, source: bytes) -> Iterator[Path]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files_of(root, alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = file.parents[node.level - 1] if node.level else root
            dotted = node.module or ""
            yield from _files_of(base, dotted)
            for alias in node.names:
                yield from _files_of(base, f"{dotted}.{alias.name}" if dotted else alias.name)


def _files_of(base: Path, dotted: str) -> Iterator[Path]:
    place = base.joinpath(*dotted.split(".")) if dotted else base
    for file in (place.with_suffix(".py"), place / "__init__.py"):
        if file.is_file():
            yield file.resolve()


def _refusal(what: str, why: str) -> BadInput:
    return BadInput("TP-RUN-023", what, why=why)
