"""Turning the root while others work: two rotations at once, a project made meanwhile, a process killed in between. No key is ever lost."""

import signal
import subprocess
import sys
import threading

import pytest
from sqlalchemy import select

from trustplane.kernel.identity import principals
from trustplane.kernel.identity.actors import PLANE_ACTOR
from trustplane.kernel.ledger import crosscheck
from trustplane.kernel.plane import Plane
from trustplane.kernel.target import PLANE
from trustplane.kernel.vault import destruction
from trustplane.kernel.vault.keyring import unwrap_chain
from trustplane.kernel.vault.keystores.keyfile import KeyFile
from trustplane.kernel.vault.tables import VaultKey

PATIENCE = 60.0
GRACE = 0.5


class Meeting:
    """Where one thread waits inside a step until another has had its chance."""

    def __init__(self):
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.errors = []

    def stop_here(self):
        """Say that the step is reached; go on when told, or when the other evidently waits for us."""
        self.reached.set()
        self.go_on.wait(GRACE)

    def start(self, work, *arguments):
        def kept():
            try:
                work(*arguments)
            except BaseException as error:
                self.errors.append(error)

        thread = threading.Thread(target=kept)
        thread.start()
        return thread


def materials(plane):
    """Every live key, by id."""
    with plane.database.read() as session:
        ids = session.scalars(select(VaultKey.id).where(VaultKey.wrapped.is_not(None))).all()
        return {each: unwrap_chain(session, plane.keystore, each).material for each in ids}


def require_settled(plane):
    """One root, every live key under it, and nothing that the log does not know."""
    with plane.database.read() as session:
        assert not destruction.unsettled(session, plane.keystore)
    assert len(plane.keystore.roots()) == 1
    assert crosscheck.verify(plane).discrepancies == ()


def test_a_rotation_that_ends_does_not_destroy_the_roots_of_one_that_has_begun(plane, workspace, monkeypatch):
    """The first has committed and is about to destroy what it takes for old roots; the second is putting keys under its own."""
    before = materials(plane)
    meeting = Meeting()
    second = KeyFile.open(workspace.key_location)
    whole = second.wrap

    def wrap(material, context):
        meeting.stop_here()
        return whole(material, context)

    monkeypatch.setattr(second, "wrap", wrap)

    def rotate():
        with plane.operation(PLANE_ACTOR, "key.rotate", PLANE) as op:
            op.record(root=destruction.turn(op.session, second))
        destruction.settle(plane.database, second)

    with plane.operation(PLANE_ACTOR, "key.rotate", PLANE) as op:
        op.record(root=destruction.turn(op.session, plane.keystore))
    other = meeting.start(rotate)
    assert meeting.reached.wait(PATIENCE)
    destruction.settle(plane.database, plane.keystore)
    meeting.go_on.set()
    other.join(PATIENCE)
    assert meeting.errors == []
    assert materials(plane) == before
    require_settled(plane)


def test_a_project_made_during_a_rotation_can_be_opened(plane, owner, monkeypatch):
    """Its key is under the old root and not committed when the rotation looks for keys to move."""
    meeting = Meeting()
    whole = principals.mint

    def mint(*arguments):
        made = whole(*arguments)
        meeting.stop_here()
        return made

    monkeypatch.setattr(principals, "mint", mint)
    other = meeting.start(principals.create_project, plane, owner, "credit")
    assert meeting.reached.wait(PATIENCE)
    plane.rotate_root(owner)
    meeting.go_on.set()
    other.join(PATIENCE)
    assert meeting.errors == []
    assert len(materials(plane)) == 4
    require_settled(plane)


def test_many_rotations_and_projects_at_once_lose_nothing(plane, owner, workspace):
    """Two openings of one workspace, as two processes have them."""
    before = materials(plane)
    meeting = Meeting()
    with Plane(workspace) as second:
        works = [
            *(lambda p=p: [p.rotate_root(PLANE_ACTOR) for _ in range(3)] for p in (plane, second, plane, second)),
            *(lambda n=n: principals.create_project(second, owner, f"project-{n}") for n in range(4)),
        ]
        for thread in [meeting.start(work) for work in works]:
            thread.join(PATIENCE)
        assert meeting.errors == []
        after = materials(plane)
        assert before.items() <= after.items()
        assert len(after) == len(before) + 4
        require_settled(plane)


KILLED = """
import os, signal, sys
from pathlib import Path
from trustplane.kernel.identity.actors import PLANE_ACTOR
from trustplane.kernel.operation import Operation
from trustplane.kernel.plane import Plane
from trustplane.kernel.settings import Settings, read_workspace
from trustplane.kernel.target import PLANE
from trustplane.kernel.vault import destruction
from trustplane.kernel.vault.keystores.keyfile import KeyFile

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

folder, url, point = sys.argv[1:]
plane = Plane(read_workspace(Path(folder), Settings(database_url=url)))
if point == "the new root is written":
    destruction.select = die
elif point == "the keys are under the new root":
    Operation.record = die
elif point == "the event is committed":
    KeyFile.finish_rotation = die
elif point == "the old root is destroyed":
    whole = KeyFile.finish_rotation
    KeyFile.finish_rotation = lambda self: (whole(self), die())
plane.rotate_root(PLANE_ACTOR)
"""


@pytest.mark.parametrize(
    ("point", "cut_short"),
    [
        ("the new root is written", True),
        ("the keys are under the new root", True),
        ("the event is committed", True),
        ("the old root is destroyed", False),
    ],
)
def test_a_kill_between_the_steps_loses_nothing(workspace, point, cut_short):
    with Plane(workspace) as plane:
        before = materials(plane)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLED, workspace.folder, workspace.database_url, point],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(KeyFile.open(workspace.key_location).roots()) == 1 + cut_short
    if cut_short:
        with pytest.warns(UserWarning, match="cut short"):
            again = Plane(workspace)
    else:
        again = Plane(workspace)
    with again:
        assert materials(again) == before
        require_settled(again)
