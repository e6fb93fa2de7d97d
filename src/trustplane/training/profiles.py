"""How much a run may use and which devices it sees: three profiles, named here and nowhere else.

A run may ask for less than its profile gives, never for more. Policy sees the profile's name in the context of ``run.start``, so a plane
can say who may use which.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from types import MappingProxyType

from trustplane.training.sandboxes.contract import GIB, MIB, Limits
from trustplane.values.errors import BadInput, NotFound, Unavailable, nearest

HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Profile:
    """The most that a run may use. ``devices`` are patterns of device files below ``/dev`` that it may open, ``shown`` what their drivers
    read besides; ``cards`` is how many graphics cards a cluster is asked for."""

    name: str
    title: str
    limits: Limits
    devices: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    cards: int = 0


_ALL = (
    Profile("strict", "one small machine's worth, for most tables", Limits()),
    Profile(
        "research",
        "long runs on large tables",
        Limits(
            memory_bytes=32 * GIB,
            processes=256,
            threads=8192,
            wall_seconds=24 * HOUR,
            cpu_seconds=400 * HOUR,
            open_files=4096,
            output_bytes=50 * GIB,
            output_files=50_000,
            log_bytes=32 * MIB,
        ),
    ),
    Profile(
        "gpu",
        "long runs with a graphics card",
        Limits(
            memory_bytes=64 * GIB,
            processes=256,
            threads=8192,
            wall_seconds=24 * HOUR,
            cpu_seconds=400 * HOUR,
            open_files=4096,
            output_bytes=50 * GIB,
            output_files=50_000,
            log_bytes=32 * MIB,
        ),
        # NVIDIA's driver, and AMD's (ROCm)
        devices=("nvidia[0-9]*", "nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "kfd", "dri/renderD*"),
        shown=(
            "/proc/driver/nvidia",
            "/proc/devices",
            "/sys/bus/pci",
            "/sys/devices",
            "/sys/class/drm",
            "/sys/class/kfd",
        ),
        cards=1,
    ),
)
PROFILES: Mapping[str, Profile] = MappingProxyType({profile.name: profile for profile in _ALL})
"""Every profile, by name."""
USUAL = "strict"
_CARDS = ("nvidia[0-9]*", "kfd")


def find_profile(name: str) -> Profile:
    """The profile of this name."""
    if name not in PROFILES:
        raise NotFound("TP-RUN-022", f"no profile is called {name[:64]!r}", fix=nearest(name, list(PROFILES)))
    return PROFILES[name]


def check_within(limits: Limits, profile: Profile) -> None:
    """Raise where a limit is above what the profile gives."""
    for field, asked, most in zip(fields(Limits), astuple(limits), astuple(profile.limits), strict=True):
        if asked > most:
            raise BadInput(
                "TP-RUN-021",
                f"the run asks for {asked:,} {field.name.replace('_', ' ')}, the profile {profile.name!r} gives {most:,}",
            )


def devices_of(profile: Profile, root: Path = Path("/dev")) -> tuple[Path, ...]:
    """The device files that the profile shows; raise :class:`Unavailable` where it promises a graphics card and none is there."""
    if not profile.devices:
        return ()
    if not any(path for pattern in _CARDS for path in root.glob(pattern)):
        raise Unavailable(
            "TP-RUN-020",
            "this machine has no graphics card",
            why=f"neither {' nor '.join(f'{root}/{pattern}' for pattern in _CARDS)} is there",
        )
    return tuple(sorted({path for pattern in profile.devices for path in root.glob(pattern)}))


def shown_by(profile: Profile) -> tuple[Path, ...]:
    """What the profile shows besides devices, as far as it is there."""
    return tuple(path for path in map(Path, profile.shown) if path.exists())
