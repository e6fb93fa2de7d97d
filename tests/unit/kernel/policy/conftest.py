"""Requests about a world in which nothing stands in the way: purposes match, nothing is held, nobody acts on their own work."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from trustplane.kernel.policy.actions import ACTIONS
from trustplane.kernel.policy.engine import Engine, builtin
from trustplane.kernel.policy.requests import Principal, Ref, Request, Resource, Value, account

NOW = 1_700_000_000

ATTRS: dict[str, dict[str, Value]] = {
    "Plane": {},
    "Project": {},
    "Environment": {"name": "somewhere", "production": False},
    "Account": {"owner": account("ann")},
    "Dataset": {"owner": account("ann"), "purposes": frozenset({"CreditChecking"}), "personal": True, "held": False},
    "View": {"dataset": Ref("Dataset", "loans"), "purpose": "CreditChecking", "expires": NOW + 1},
    "Run": {"author": account("ann")},
    "ThreatModel": {"author": account("ann")},
    "ModelVersion": {
        "project": Ref("Project", "credit"),
        "author": account("ann"),
        "approvers": (),
        "status": "registered",
    },
    "Deployment": {"production": False, "author": account("ann"), "approvers": (account("rob"),), "approved": True},
    "Key": {"held": False},
    "Policy": {"proposer": account("ann")},
    "Job": {"owner": account("ann")},
}
CONTEXT: dict[str, dict[str, Value]] = {
    "binding.grant": {"grantee": account("ann"), "role": "scientist"},
    "binding.revoke": {"grantee": account("ann"), "role": "scientist"},
    "token.issue": {"scopes": ("dataset.read",)},
    "dataset.accept": {"confidence": 100, "columns": 3, "exact": True},
    "run.start": {"profile": "strict"},
    "run.verify": {"profile": "strict"},
    "run.start-unsandboxed": {"reason": "a driver"},
    "view.create": {"purpose": "CreditChecking"},
    "view.request": {"purpose": "CreditChecking"},
    "view.open": {"purpose": "CreditChecking"},
    "view.measure": {"purpose": "CreditChecking"},
    "waiver.grant": {"requester": account("ann")},
    "deployment.create": {"author": account("ann"), "approvers": (account("rob"),), "approved": True},
}


@dataclass(frozen=True)
class World:
    """Builds requests; whatever is not said is as it usually is."""

    now: int = NOW

    def ask(
        self,
        action: str,
        *roles: str,
        who: Principal | None = None,
        on: str = "",
        attrs: dict[str, Value] | None = None,
        context: dict[str, Value] | None = None,
        scopes: tuple[str, ...] = ("*",),
    ) -> Request:
        kind = on or ACTIONS[action].resource
        resource = Resource(kind, "it", ATTRS[kind] | (attrs or {}))
        principal = who or Principal("user", "kim", frozenset(roles))
        return Request(principal, action, resource, self.now, CONTEXT.get(action, {}) | (context or {}), scopes)


@pytest.fixture(scope="session")
def world() -> World:
    return World()


@pytest.fixture(scope="session")
def ask(world: World) -> Callable[..., Request]:
    return world.ask


@pytest.fixture(scope="session")
def engine() -> Engine:
    return builtin()
