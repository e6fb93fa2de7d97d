"""``trustplane``: finds the noun, imports its module alone, and turns errors into exit codes.

Nothing heavy is imported for ``--version`` and ``--help``.
"""

import atexit
import os
import sys
from contextlib import suppress
from importlib import import_module

from trustplane import __version__

GROUPS: dict[str, dict[str, tuple[str, str]]] = {
    "Start": {
        "init": ("workspace", "Make a workspace"),
        "up": ("up", "Serve the API, the console, the log and the inference gateway"),
        "demo": ("demo.command", "Run the whole lifecycle on real data, then tamper with it"),
        "doctor": ("doctor", "Is the workspace well?"),
        "login": ("login", "Log in to a plane"),
        "logout": ("logout", "Log out"),
        "whoami": ("whoami", "Who am I, with which roles?"),
    },
    "People": {
        "project": ("project", "Projects and environments"),
        "user": ("user", "Users, services and roles"),
        "token": ("token", "Tokens"),
    },
    "Data": {
        "dataset": ("dataset", "Ingest and classify datasets"),
        "contract": ("contract", "What versions of a dataset must keep to"),
        "view": ("view", "Views: the only way to rows"),
        "request": ("request", "Requests of data subjects"),
        "retention": ("retention", "Retention and legal holds"),
        "budget": ("budget", "Privacy budgets of datasets"),
        "statistic": ("statistic", "Statistics with noise, under a privacy budget"),
        "data": ("data", "Try discovery of personal data"),
    },
    "Models": {
        "run": ("run.command", "Run scripts in the sandbox, and look at runs"),
        "scan": ("scan", "Is this model file safe? Needs no workspace"),
        "model": ("model", "Register, sign and look at models"),
        "threat": ("threat", "What an attacker may do to a model's inputs"),
        "assess": ("assess", "Measure a model on its hold-out"),
        "gate": ("gate", "May this version be approved?"),
        "approve": ("approve", "Approve a version"),
        "reject": ("reject", "Reject a version"),
        "waiver": ("waiver", "Ask for and grant waivers"),
    },
    "Serving": {
        "deploy": ("deploy", "Serve a version in an environment"),
        "deployment": ("deployment", "Look at deployments, and retire them"),
        "predict": ("predict", "Ask a deployment"),
        "monitor": ("monitor", "Compare served inputs with the training data"),
    },
    "Evidence": {
        "ledger": ("ledger", "The ledger: list, show, prove, verify, export"),
        "policy": ("policy", "Policies: list, explain, test, propose, accept"),
        "control": ("control", "Controls: list and evaluate"),
        "report": ("report", "Compliance reports"),
        "key": ("key", "Keys: list, rotate, destroy"),
        "job": ("job", "Jobs: list, show, follow, cancel"),
    },
    "Help": {
        "explain": ("explain", "What an error code means, and what to do"),
        "plugins": ("plugins", "Installed plug-ins"),
        "new": ("new", "Write the start of a plug-in"),
    },
}
COMMANDS = {name: entry for group in GROUPS.values() for name, entry in group.items()}
OLD_NAMES = {"runs": "run"}
"""Nouns that were called otherwise before; they are still understood."""
OPTIONS = """Options that every command takes:
  -w, --workspace FOLDER  a workspace on this machine (TRUSTPLANE_WORKSPACE; else the one here or above)
      --url URL           a plane elsewhere (TRUSTPLANE_URL)
  -u, --user NAME         as whom, among those logged in (TRUSTPLANE_USER)
  -p, --project NAME      the project (TRUSTPLANE_PROJECT; else the only one)
      --json              the result as JSON on stdout
Exit codes: 0 ok, 1 a gate or check failed, 2 usage, 3 something is unavailable, 4 denied."""


def run() -> None:
    """What the script calls: :func:`main`, and then an end without looking at every module once more, which takes a third of a command's time.

    Threads have ended and what was registered for the exit has run when the process leaves.
    """
    code: int | str | None = 1

    def leave() -> None:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code if isinstance(code, int) else 1)

    atexit.register(leave)  # first, so that it is the last to be called
    try:
        main()
    except SystemExit as ended:
        code = ended.code or 0
    else:
        code = 0


def main() -> None:
    """Run a command, and exit with its code."""
    try:
        code = _answer(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has enough; what is left goes nowhere, so that the interpreter's last flush does not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    if code:
        sys.exit(code)


def _answer(arguments: list[str]) -> int:
    if arguments in (["--version"], ["-V"]):
        sys.stdout.write(f"trustplane {__version__}\n")
        return 0
    if not arguments or arguments[0] in {"--help", "-h", "help"}:
        sys.stdout.write(overview())
        return 0
    return _run(arguments)


def overview() -> str:
    """The help of the whole command line."""
    lines = [
        "Usage: trustplane COMMAND [ARGUMENTS]",
        "",
        "Security and compliance for machine-learning development.",
        "",
    ]
    for title, commands in GROUPS.items():
        lines.append(f"{title}:")
        lines += [f"  {name:<11} {summary}" for name, (_, summary) in commands.items()]
        lines.append("")
    return "\n".join([*lines, OPTIONS, ""])


def _run(arguments: list[str]) -> int:
    from trustplane.cli.context import Usage, settle
    from trustplane.cli.output import fail, note
    from trustplane.values.errors import BadInput, TrustplaneError, nearest

    try:
        rest = settle(arguments)
        name = OLD_NAMES.get(rest[0], rest[0]) if rest else ""
        if name not in COMMANDS:
            raise Usage(f"there is no command {name!r}", nearest(name, COMMANDS))
        return _call(name, rest[1:])
    except TrustplaneError as error:
        return fail(error)
    except Usage as error:
        note(str(error))
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    except BrokenPipeError:
        raise
    except OSError as error:
        place = "a file" if error.filename is None else f"{error.filename}"
        return fail(BadInput("TP-CLIENT-010", f"{place} cannot be read or written", why=error.strerror or ""))


def _call(name: str, arguments: list[str]) -> int:
    import typer.main

    command = typer.main.get_command(import_module(f"trustplane.cli.{COMMANDS[name][0]}").app)
    try:
        command(arguments, prog_name=f"trustplane {name}", standalone_mode=True)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    return 0


if __name__ == "__main__":
    run()
