"""A process that executes the runs of a workspace until it is killed: ``worker.py FOLDER DATABASE [MOMENT]``.

With a moment it kills itself there, as a power cut would: ``sealing`` when the second output is about to be sealed, ``kept`` when the end
of the run is on record and its job does not know that yet.
"""

import os
import signal
import sys
from pathlib import Path

from trustplane.kernel.plane import Plane
from trustplane.kernel.settings import Settings
from trustplane.training import execution, keeping


def dying(function, calls):
    """The function, which kills the process when it has returned for the so-many-th time."""

    def call(*arguments):
        nonlocal calls
        returned = function(*arguments)
        calls -= 1
        if calls == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return returned

    return call


def main(folder: str, database: str, moment: str = "") -> None:
    if moment == "sealing":
        keeping._seal_file = dying(keeping._seal_file, 1)
    if moment == "kept":
        execution.keep = dying(execution.keep, 1)
    with Plane.open(Path(folder), settings=Settings(database_url=database)) as plane:
        plane.jobs.launch()
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
