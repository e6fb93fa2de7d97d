"""Reference pages made from the code, as a hook of mkdocs: nothing in them is written by hand."""

import inspect
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

SOURCE = Path(__file__).parents[1] / "src" / "trustplane"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    made = {
        "cli": cli,
        "actions": actions,
        "controls": controls,
        "recognisers": recognisers,
        "errors": errors,
        "api": api,
        "settings": settings,
    }
    for name, page in made.items():
        files.append(File.generated(config, f"reference/{name}.md", content="\n".join(page()) + "\n"))
    return files


def errors() -> Iterator[str]:
    """Every error code."""
    from trustplane.values.errors import catalogue

    yield "# Errors\n\nEach error has a stable code; `trustplane explain CODE` says the same.\n"
    for entry in catalogue().values():
        yield f"## {entry.code}\n\n**{entry.title}.** {entry.meaning}\n\nTo do: {entry.fix or 'nothing'}.\n"
        yield f"HTTP status {entry.status}, exit code {entry.exit}.\n"


def actions() -> Iterator[str]:
    """Every action, and which role alone permits it."""
    import csv

    from trustplane.kernel.policy.actions import ACTIONS
    from trustplane.kernel.policy.roles import ROLES

    yield "# Actions and roles\n\nWhat can be done, to what, and by which role, where no rule forbids it. `open` and `write` leave an event.\n"
    matrix = Path(__file__).parents[1] / "tests" / "unit" / "kernel" / "policy" / "role_matrix.csv"
    with matrix.open(encoding="utf-8", newline="") as file:
        may = {row["action"]: row for row in csv.DictReader(file)}
    yield f"| action | to | kind | {' | '.join(ROLES)} |"
    yield "| --- | --- | --- |" + " :-: |" * len(ROLES)
    for action in ACTIONS.values():
        held = ("yes" if may[action.name][role] == "yes" else "" for role in ROLES)
        yield f"| `{action.name}` | {', '.join(action.resources)} | {action.kind} | {' | '.join(held)} |"
    for title, folder in (("Roles", "roles"), ("Rules", ".")):
        yield f"\n## {title}\n"
        for path in sorted((SOURCE / "kernel" / "policy" / "rules" / folder).glob("*.cedar")):
            yield f"### {path.stem}\n\n```text\n{path.read_text('utf-8').strip()}\n```\n"


def controls() -> Iterator[str]:
    """Every control, with its clauses."""
    from trustplane.compliance.mappings import clauses_by_control, frameworks
    from trustplane.kernel.controls.registry import registered

    clauses = clauses_by_control()
    yield "# Controls\n\nA verdict is computed from recorded evidence. No evidence is never a pass. Those of the gate hold back releases.\n"
    for control in registered():
        yield f"## {control.id}: {control.title}\n\n{control.question}\n"
        yield f"- Stage: {control.stage}; about: {control.subject_kind}; severity: {control.severity}; gate: {'yes' if control.gate else 'no'}"
        if control.max_age is not None:
            yield f"- Evidence is good for {control.max_age.days} days"
        for framework, named in clauses.get(control.id, {}).items():
            yield f"- {framework}: {', '.join(named)}"
        yield f"- To do when it fails: {control.remedy}\n"
    for framework in frameworks():
        yield f"## {framework.title}\n\n{framework.version}\n\n| clause | title | controls |\n| --- | --- | --- |"
        yield from (
            f"| {c} | {title} | {', '.join(framework.controls_of(c))} |" for c, title in framework.clauses.items()
        )
        yield ""


def recognisers() -> Iterator[str]:
    """Every recogniser, and the lists of the law."""
    from trustplane.data.classes import SensitivityClass
    from trustplane.data.presets import GDPR_9, HIPAA, presets_of
    from trustplane.data.recognisers.contract import TextRecogniser
    from trustplane.data.recognisers.numbers import Number
    from trustplane.data.recognisers.quasi_identifier import TRAITS
    from trustplane.data.recognisers.registry import installed_recognisers
    from trustplane.data.recognisers.special_category import CATEGORIES

    yield "# What discovery recognises\n\nEntities have Presidio's names where it has one. How they are told apart: [Discovery](../explanation/discovery.md).\n"
    yield "| entity | states | class | by what | under any name | in text | lists |\n| --- | --- | --- | --- | :-: | :-: | --- |"
    for each in installed_recognisers():
        d = each.descriptor
        if d.name in {"quasi_identifier", "special_category"}:
            continue
        needs = (isinstance(each, Number) and each.named) or getattr(each, "least", 0) > 1 or d.name in _NAMED
        text = isinstance(each, Number) or (isinstance(each, TextRecogniser) and each.in_text() is not None)
        how = "check digits or structure" if d.uses_checksum else "form"
        yield (
            f"| `{d.entity}` | {', '.join(d.countries)} | {d.klass} | {how} | {'' if needs else 'yes'} |"
            f" {'yes' if text else ''} | {', '.join(presets_of(d.entity, d.klass))} |"
        )
    yield "\n## By the column's name, in eight languages and more\n\n| entity | what | class | lists |\n| --- | --- | --- | --- |"
    for entity, what, _ in CATEGORIES:
        yield f"| `{entity}` | {what} | special | {', '.join(presets_of(entity, SensitivityClass.SPECIAL))} |"
    for trait in TRAITS:
        lists = ", ".join(presets_of(trait.entity, SensitivityClass.QUASI_IDENTIFIER))
        yield f"| `{trait.entity}` | {trait.entity.lower().replace('_', ' ')} | quasi-identifier | {lists} |"
    yield "\n## Lists of the law\n\n| list | what |\n| --- | --- |"
    yield from (
        f"| `hipaa-safe-harbor:{letter}` | {what} (45 CFR 164.514(b)(2)(i)({letter})) |"
        for letter, what in HIPAA.items()
    )
    yield from (f"| `gdpr-art9:{name}` | {name.replace('-', ' ')} |" for name in GDPR_9)
    yield "| `gdpr-art10:convictions-and-offences` | criminal convictions and offences |"


_NAMED = {"person", "date_of_birth", "subject_id"}


def cli() -> Iterator[str]:
    """Every command."""
    import typer.main

    from trustplane.cli.main import GROUPS, OPTIONS

    yield f"# Commands\n\n```text\n{OPTIONS}\n```\n"
    for title, commands in GROUPS.items():
        yield f"## {title}\n"
        for name, (module, summary) in commands.items():
            yield f"### trustplane {name}\n\n{summary}.\n"
            command = typer.main.get_command(import_module(f"trustplane.cli.{module}").app)
            yield from _command(command, f"trustplane {name}")


def _command(command: Any, name: str) -> Iterator[str]:
    if getattr(command, "commands", None):
        for verb, inner in command.commands.items():
            yield from _command(inner, f"{name} {verb}")
        return
    words = [_word(p) for p in command.params if p.name != "help"]
    yield f"`{' '.join([name, *filter(None, words)])}`\n"
    yield f"{inspect.cleandoc(command.help or '')}\n"
    for parameter in command.params:
        text = getattr(parameter, "help", None)
        if parameter.name != "help" and text:
            shown = parameter.opts[0] if parameter.param_type_name == "option" else str(parameter.name).upper()
            yield f"- `{shown}`: {text}"
    yield ""


def _word(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        shown = str(parameter.name).upper()
    else:
        shown = parameter.opts[0] if parameter.is_flag else f"{parameter.opts[0]} {str(parameter.name).upper()}"
    return shown if parameter.required else f"[{shown}]"


def api() -> Iterator[str]:
    """Every route of the management API, from its OpenAPI document."""
    from trustplane.api.app import create_app

    document = create_app(Path("none")).openapi()  # no workspace is opened before it is served
    yield "# API\n\nOpenAPI 3.1 at `/api/v1/openapi.json`; errors are RFC 9457 problem documents; creation takes an `Idempotency-Key`.\n"
    yield "| method | path | what |\n| --- | --- | --- |"
    for path, methods in sorted(document["paths"].items()):
        for method, route in methods.items():
            told = (route.get("description") or route.get("summary") or "").splitlines()[0]
            yield f"| {method.upper()} | `{path}` | {told} |"


def settings() -> Iterator[str]:
    """Every environment variable and file."""
    project = tomllib.loads((SOURCE.parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
    yield "# Settings\n\n| variable | what it says |\n| --- | --- |"
    for name, text in VARIABLES.items():
        yield f"| `{name}` | {text} |"
    yield "\n## What a script in the sandbox is told\n\n| variable | what it says |\n| --- | --- |"
    for name, text in SCRIPT.items():
        yield f"| `{name}` | {text} |"
    yield "\n## Extras\n\n| extra | libraries |\n| --- | --- |"
    for extra, needs in project["optional-dependencies"].items():
        yield f"| `trustplane[{extra}]` | {', '.join(needs) or 'the SDK and the command line alone'} |"


VARIABLES = {
    "TRUSTPLANE_WORKSPACE": "the workspace's folder; else the one here or above",
    "TRUSTPLANE_URL": "a plane elsewhere",
    "TRUSTPLANE_USER": "as whom, among those logged in",
    "TRUSTPLANE_PROJECT": "the project; else the only one",
    "TRUSTPLANE_TOKEN": "a token, instead of those kept by `login`",
    "TRUSTPLANE_PASSWORD": "the password of `login` and `init`, instead of the prompt",
    "TRUSTPLANE_NEW_PASSWORD": "the password of `user create`, instead of the prompt",
    "TRUSTPLANE_DATABASE_URL": "`sqlite:///FILE` or `postgresql+psycopg://…`; else a file in the workspace",
    "TRUSTPLANE_BLOBS": "the folder or URL of the encrypted objects",
    "TRUSTPLANE_KEY_FILE": "the root key of the key store `key-file`",
    "TRUSTPLANE_KEY_STORE": "another key store: `name:location`",
    "NO_COLOR": "no colour in the terminal",
}
SCRIPT = {
    "TRUSTPLANE_INPUT": "the folder with a Parquet file for each view, read-only",
    "TRUSTPLANE_OUTPUT": "the one folder that it can write to",
    "TRUSTPLANE_SEED": "the seed of the run",
    "TRUSTPLANE_PARAMETERS": "the parameters, as a JSON object",
}
