"""``trustplane new``: the start of a plug-in, as a package of its own that can be installed and tested at once."""

import keyword
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from trustplane.cli.context import Usage
from trustplane.cli.output import emit, say
from trustplane.values.errors import Conflict, nearest

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of plug-in: the group of its entry point, what the entry point names, and the suite that it must pass."""

    group: str
    target: str
    suite: str = ""


KINDS = {
    "recogniser": Kind("recognisers", "$name:$klass", "tests/conformance/test_recognisers.py"),
    "check": Kind("checks", "$name:$klass", "tests/conformance/test_checks.py"),
    "control": Kind("controls", "$name:CONTROLS"),
    "framework": Kind("frameworks", "$name"),
    "keystore": Kind("keystores", "$name:$klass", "tests/conformance/test_keystores.py"),
    "sandbox": Kind("sandboxes", "$name:$klass", "tests/conformance/test_sandboxes.py"),
    "format": Kind("formats", "$name:$klass", "tests/conformance/test_formats.py"),
    "runtime": Kind("runtimes", "$name:$klass"),
}


@app.command()
def new(
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(KINDS)}.")],
    name: Annotated[str, typer.Argument(help="Its name: small letters, digits and underscores.")],
    into: Annotated[Path, typer.Option(help="The folder in which the package's folder is made.")] = Path(),
) -> None:
    """Write the start of a plug-in: its module, its test, and the entry point that registers it."""
    if kind not in KINDS:
        raise Usage(f"there is no kind of plug-in {kind!r}", nearest(kind, KINDS))
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name) or keyword.iskeyword(name):
        fitting = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        hint = (
            f"perhaps {fitting!r}" if re.match(r"[a-z]", fitting) and fitting != name else "such as 'customer_number'"
        )
        raise Usage(f"{name!r} is no name for a module", hint)
    folder = into / f"trustplane-{name.replace('_', '-')}"
    if folder.exists():
        raise Conflict("TP-CLI-002", f"there is something at {folder} already")
    written = [str(path) for path in _write(folder, KINDS[kind], kind, name)]

    def show() -> None:
        for path in written:
            say(path)
        say(f"install it:  pip install -e {folder}")
        say(f"test it:     python -m pytest {folder}")
        if KINDS[kind].suite:
            say(f"installed, it must pass the suite of its contract too: {KINDS[kind].suite}")

    emit({"kind": kind, "name": name, "folder": str(folder), "files": written}, show)


def _write(folder: Path, kind: Kind, word: str, name: str) -> list[Path]:
    klass = "".join(part.capitalize() for part in name.split("_"))
    words = name.replace("_", " ")
    values = {
        "name": name,
        "klass": klass,
        "words": words,
        "title": words.capitalize(),
        "entity": name.upper(),
        "code": f"OWN-{name.upper().replace('_', '-')}",
        "package": folder.name,
        "group": kind.group,
    }
    values["target"] = Template(kind.target).substitute(values)
    sources = {f"{name}.py": f"{word}.py.txt", f"test_{name}.py": f"{word}_test.py.txt"}
    values["only"] = f"{name}.py"
    if word == "framework":
        sources = {f"{name}/{name}.toml": "framework.toml.txt", f"test_{name}.py": "framework_test.py.txt"}
        values["only"] = name
    made = []
    templates = files("trustplane.cli") / "templates"
    for path, source in {"pyproject.toml": "pyproject.toml.txt", **sources}.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template((templates / source).read_text("utf-8")).substitute(values), "utf-8")
        made.append(target)
    if word == "framework":
        made.append(folder / name / "__init__.py")
        made[-1].write_text(f'"""The framework {words}."""\n', "utf-8")
    return made
