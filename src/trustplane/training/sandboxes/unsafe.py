"""No sandbox at all: for a machine that has none, on the record."""

import warnings
from dataclasses import dataclass

from trustplane.training.sandboxes.admission import admitted
from trustplane.training.sandboxes.contract import Capability, Isolation, SandboxDescriptor, SandboxJob, SandboxResult
from trustplane.training.sandboxes.launch import run_in_worker
from trustplane.values.outcomes import Passed
from trustplane.values.unsafe import InsecureStandIn

DESCRIPTOR = SandboxDescriptor(name="unsafe-none", title="no sandbox", isolation=Isolation(), unsafe=True)


@dataclass(frozen=True, slots=True)
class UnsafeNoSandbox:
    """Runs the script as an ordinary process of this user: it can read what the user can, and reach the network.

    Its limits are kept and what it started is ended, but a script that means harm can evade both.
    """

    def __post_init__(self) -> None:
        warnings.warn(
            "scripts run without a sandbox: they can read everything that this user can", InsecureStandIn, stacklevel=3
        )

    @property
    def descriptor(self) -> SandboxDescriptor:
        """What this stand-in is; it claims nothing."""
        return DESCRIPTOR

    def capability(self) -> Capability:
        """Always there."""
        return Passed("an ordinary process can always be started; nothing holds it in")

    def run(self, job: SandboxJob) -> SandboxResult:
        """Run ``job`` with its limits only; ``readable`` of the result is empty, because nothing bounds it."""
        return run_in_worker(admitted(job), "none", ())
