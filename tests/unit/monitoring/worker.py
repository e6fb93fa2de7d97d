"""A process that executes the jobs of a workspace until it is killed: ``worker.py FOLDER DATABASE MOMENT``.

It kills itself at the moment, as a power cut would: ``asked`` when a comparison was asked for and its job does not know that yet,
``compared`` when the verdict is on record and the job does not know that yet.
"""

import os
import signal
import sys
from pathlib import Path

from trustplane.kernel.plane import Plane
from trustplane.kernel.settings import Settings
from trustplane.monitoring import service


def dying(function):
    """The function, which kills the process when it has returned."""

    def call(*arguments):
        function(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    return call


def main(folder: str, database: str, moment: str) -> None:
    name = {"asked": "_ask", "compared": "_compare"}[moment]
    setattr(service, name, dying(getattr(service, name)))
    with Plane.open(Path(folder), settings=Settings(database_url=database)) as plane:
        plane.jobs.launch()
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
