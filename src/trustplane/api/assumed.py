"""What ``policy explain`` assumes where a question leaves it open: that all but the role is in order, and nobody asked about had a part in it."""

from typing import Any

from trustplane.kernel.policy.actions import ACTIONS
from trustplane.kernel.policy.requests import Ref, account
from trustplane.kernel.target import Target

PURPOSE = "a purpose of the dataset"
LATER = 4_102_444_800  # 2100-01-01T00:00:00Z
_NOBODY, _ANOTHER = account("nobody"), account("somebody else")
_WORDS = {
    "purpose": "the purpose is one of the dataset's",
    "approvers": "whoever approved it is somebody else",
    "author": "somebody else is its author",
    "expires": "the view has not ended",
    "held": "there is no legal hold",
    "approved": "the model version is approved",
    "owner": "it belongs to somebody else",
    "proposer": "somebody else proposed it",
    "requester": "somebody else asked for the waiver",
    "grantee": "the role is given to somebody else, and is 'consumer'",
    "reason": "a reason is given",
    "scopes": "the token reaches as far as its owner",
}


def attributes(kind: str, target: Target) -> dict[str, Any]:
    """The attributes of a resource of ``kind`` that lies where ``target`` does."""
    approved = {"author": _NOBODY, "approvers": frozenset({_ANOTHER})}
    known: dict[str, dict[str, Any]] = {
        "Dataset": {"owner": _NOBODY, "purposes": frozenset({PURPOSE}), "personal": True, "held": False},
        "View": {"dataset": Ref("Dataset", "any"), "purpose": PURPOSE, "expires": LATER},
        "Run": {"author": _NOBODY},
        "ModelVersion": {"project": Ref("Project", target.project or "any"), **approved, "status": "candidate"},
        "Deployment": {"production": bool(target.attributes.get("production", False)), **approved, "approved": True},
        "Key": {"held": False},
        "Policy": {"proposer": _NOBODY},
        "Job": {"owner": _NOBODY},
        "Account": {"owner": _NOBODY},
    }
    return known.get(kind, {})


def context(action: str) -> dict[str, Any]:
    """The context of a request for ``action``."""
    known: dict[str, dict[str, Any]] = {
        "view.create": {"purpose": PURPOSE},
        "view.open": {"purpose": PURPOSE},
        "binding.grant": {"grantee": _NOBODY, "role": "consumer"},
        "binding.revoke": {"grantee": _NOBODY, "role": "consumer"},
        "token.issue": {"scopes": ("*",)},
        "run.start-unsandboxed": {"reason": "a reason"},
        "waiver.grant": {"requester": _NOBODY},
        "deployment.create": {"author": _NOBODY, "approvers": frozenset({_ANOTHER}), "approved": True},
    }
    return known.get(ACTIONS[action].name, {})


def words(assumed: dict[str, Any]) -> list[str]:
    """What was assumed, in plain words."""
    return [_WORDS[name] for name in sorted(assumed) if name in _WORDS]
