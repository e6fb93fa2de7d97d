"""Executes the jobs of a workspace in a process of its own, and kills itself at a moment."""

import os
import signal
import sys
import time
from pathlib import Path

from trustplane.data.subjects import erasure
from trustplane.kernel.plane import Plane
from trustplane.kernel.settings import Settings


def die(*_arguments, **_named):
    os.kill(os.getpid(), signal.SIGKILL)


def main(folder, url, moment):
    match moment:
        case "searched":  # the search is on record, and nothing was written yet
            erasure._rewrite = die
        case "rewriting":  # one version is written anew, the second is not
            rewrite, seen = erasure._rewrite, []

            def second(*arguments):
                seen.append(1)
                return die() if len(seen) == 2 else rewrite(*arguments)

            erasure._rewrite = second
        case "committing":  # everything is written and nothing is committed
            replace = erasure._replace

            def whole(*arguments):
                replace(*arguments)
                die()

            erasure._replace = whole
        case "committed":  # the old root is still there
            erasure.settle = die
        case "sweeping":  # what was replaced lies there still
            erasure.sweep_replaced = die
        case "ending":  # everything is done but the end
            erasure._end = die
    with Plane.open(Path(folder), settings=Settings(database_url=url)) as plane:
        plane.jobs.launch()
        time.sleep(60)


if __name__ == "__main__":
    main(*sys.argv[1:])
