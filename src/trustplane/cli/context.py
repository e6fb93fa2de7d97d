"""What every command takes: which plane, as whom, in which project, and how to answer."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trustplane.values.errors import NotFound

if TYPE_CHECKING:
    from trustplane.client.connection import Client, Project


class Usage(Exception):
    """The command line is wrong."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(f"{what}{'; ' + hint if hint else ''}\ntry 'trustplane --help'")


@dataclass(slots=True)
class Settings:
    """The settings of this run of the command line."""

    workspace: str | None = None
    url: str | None = None
    user: str | None = None
    project: str | None = None
    json: bool = False


settings = Settings()
_TAKE = {
    "--workspace": "workspace",
    "-w": "workspace",
    "--url": "url",
    "--user": "user",
    "-u": "user",
    "--project": "project",
    "-p": "project",
}


def settle(arguments: list[str]) -> list[str]:
    """Take the settings out of the arguments, wherever they stand before ``--``; return the rest."""
    for name in ("user", "project"):
        setattr(settings, name, os.environ.get(f"TRUSTPLANE_{name.upper()}") or None)
    rest: list[str] = []
    waiting = iter(arguments)
    for word in waiting:
        option, equals, value = word.partition("=")
        if word == "--":
            return [*rest, word, *waiting]
        if word == "--json":
            settings.json = True
        elif word in _TAKE:
            setattr(settings, _TAKE[word], _following(word, waiting))
        elif equals and option.startswith("--") and option in _TAKE:
            setattr(settings, _TAKE[option], value)
        else:
            rest.append(word)
    return rest


def _following(word: str, waiting: Iterator[str]) -> str:
    value = next(waiting, None)
    if value is None:
        raise Usage(f"{word} needs a value")
    return value


@contextmanager
def connected() -> "Iterator[Client]":
    """A client of the plane that the settings name."""
    from trustplane.client.connection import connect

    with connect(settings.url or settings.workspace, user=settings.user) as client:
        yield client


@contextmanager
def working() -> "Iterator[tuple[Client, Project]]":
    """A client, and the project that the settings name; without one the only project there is."""
    with connected() as client:
        yield client, client.project(settings.project or _only(client))


def chosen(client: "Client") -> str | None:
    """The project that the settings name, or the only one there is; None where neither says."""
    if settings.project:
        return settings.project
    names = [str(p.name) for p in client.projects()]
    return names[0] if len(names) == 1 else None


def _only(client: "Client") -> str:
    names = [p.name for p in client.projects()]
    if len(names) == 1:
        return str(names[0])
    if not names:
        raise NotFound("TP-CLI-001", "there is no project that you may see")
    raise NotFound("TP-CLI-001", "say which project", why=f"there are {', '.join(sorted(names))}")
