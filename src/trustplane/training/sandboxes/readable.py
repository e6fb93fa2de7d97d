"""What a script may read besides its inputs: the interpreter, its libraries, and the few system files they open."""

import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import trustplane

SYSTEM = (
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/dev/urandom",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu",
)
"""Not ``/proc``: its files about the machine and its connections are none of the script's business."""


def readable_paths() -> tuple[Path, ...]:
    """The paths of the running interpreter, its virtual environment, this package and the system, each once."""
    places = (
        sys.prefix,
        sys.base_prefix,
        sys.exec_prefix,
        *(sysconfig.get_paths()[name] for name in _PLACES),
        _own_source(),
        *SYSTEM,
    )
    return covering(Path(place).resolve() for place in places if Path(place).exists())


_PLACES = ("stdlib", "platstdlib", "purelib", "platlib")


def covering(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The fewest of ``paths`` that still contain all of them, sorted; every path is absolute."""
    kept: list[Path] = []
    for path in sorted(set(paths)):
        if not any(path.is_relative_to(other) for other in kept):
            kept.append(path)
    return tuple(kept)


def _own_source() -> str:
    # Installed in place, the package lies outside of site-packages, in a folder that the import system lists.
    return str(Path(trustplane.__path__[0]).parent)
