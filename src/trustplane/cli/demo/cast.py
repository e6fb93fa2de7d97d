"""The people of the story: one user for each role, and a service that asks for predictions."""

import secrets
from dataclasses import dataclass, field
from pathlib import Path

from trustplane.client import credentials, embedded
from trustplane.client.connection import Client, Project, connect

PROJECT = "credit"
ROLES = ("data-steward", "scientist", "reviewer", "operator", "auditor")


@dataclass(slots=True)
class Cast:
    """The clients of everybody, over one embedded plane. ``password`` is the owner's, for the console."""

    owner: Client
    password: str = field(repr=False)
    token: str = field(repr=False)
    people: dict[str, Client] = field(default_factory=dict)

    def project(self, role: str) -> Project:
        """The project as somebody sees it."""
        return self.people[role].project(PROJECT)


def gather(folder: Path) -> Cast:
    """Make the workspace, the project, its environments and its people. Everybody's session is kept beside it, for ``-u``."""
    password = secrets.token_urlsafe(12)
    made = embedded.found(folder, "owner", password)
    credentials.save(folder.resolve(), "owner", made["token"])
    owner = connect(folder, token=made["token"])
    cast = Cast(owner, password, made["token"])
    project = owner.create_project(PROJECT, "Default risk of credit-card clients")
    project.create_environment("staging")
    project.create_environment("production", production=True)
    for role in ROLES:
        secret = secrets.token_urlsafe(16)
        owner.users.create(role, password=secret)
        # An auditor audits the whole plane: its log is one for all projects.
        owner.users.grant(role, role, project=None if role == "auditor" else PROJECT)
        token = owner.log_in(role, secret).token
        credentials.save(folder.resolve(), role, token, last=False)
        cast.people[role] = owner.as_user(token)
    owner.users.create("scoring-app", kind="service", owner="operator")
    for environment in ("staging", "production"):
        owner.users.grant("scoring-app", "consumer", project=PROJECT, environment=environment)
    issued = cast.people["operator"].users.issue_token(
        "scoring-app", label="the demo", scopes=["deployment.*"], days=30
    )
    credentials.save(folder.resolve(), "scoring-app", issued.token, last=False)
    cast.people["scoring-app"] = owner.as_user(issued.token)
    return cast
