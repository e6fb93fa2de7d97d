"""What a script says of the privacy of its training, as the file ``privacy.json`` among its outputs."""

import math
import os
from pathlib import Path
from typing import Any

import msgspec

from trustplane.training.private.accounting import spent_by_steps
from trustplane.values.errors import BadInput
from trustplane.values.outcomes import Failed, Passed, Verdict

CLAIM = "privacy.json"
SIZE = 64 << 10
LOGISTIC, STEPS = "objective-perturbation", "dp-sgd"
_SLACK = 1.001  # two accountants agree to three digits


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Training by ``mechanism`` is (epsilon, delta)-differentially private for tables that differ by ``neighbours``.

    ``parameters`` are what the accountant computes epsilon from. ``predictable`` says that the noise came from a seed: whoever knows the seed
    can take it off again.
    """

    mechanism: str
    epsilon: float
    delta: float
    neighbours: str
    rows: int
    accountant: str
    parameters: dict[str, float]
    predictable: bool = False


def write_claim(claim: Claim, folder: str | Path | None = None) -> Path:
    """Write ``privacy.json`` into a folder, that of the run's outputs unless another is given."""
    where = folder or os.environ.get("TRUSTPLANE_OUTPUT")
    if where is None:
        raise BadInput("TP-RUN-050", "there is no folder of outputs", why="the script does not run under Trustplane")
    path = Path(where) / CLAIM
    path.write_bytes(msgspec.json.format(msgspec.json.encode(claim), indent=2) + b"\n")
    return path


def read_claim(said: bytes) -> Claim:
    """The claim in a file; raise :class:`BadInput` (TP-RUN-051) for what is none."""
    try:
        claim = msgspec.json.decode(said, type=Claim)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInput("TP-RUN-051", f"{CLAIM} cannot be read", why=str(error)[:300]) from None
    numbers = (claim.epsilon, claim.delta, *claim.parameters.values())
    sane = all(math.isfinite(n) for n in numbers) and claim.epsilon > 0 and 0 <= claim.delta < 1 and claim.rows > 0
    if not sane or len(claim.parameters) > 20:
        raise BadInput("TP-RUN-051", f"{CLAIM} holds numbers that are none of differential privacy")
    return claim


def claim_in(folder: Path) -> dict[str, Any]:
    """What the record of ``privacy.json`` says beside its digests; raise :class:`BadInput` (TP-RUN-051) where it cannot be read."""
    path = folder / CLAIM
    if path.stat().st_size > SIZE:
        raise BadInput("TP-RUN-051", f"{CLAIM} is larger than {SIZE:,} bytes")
    claim: dict[str, Any] = msgspec.to_builtins(read_claim(path.read_bytes()))
    return {"claim": claim}


def judge_claim(said: dict[str, Any], limit: float) -> Verdict:
    """Whether a claim holds together: its epsilon follows from its parameters, its noise is secret, and it is within the limit."""
    claim = msgspec.convert(said, Claim)
    figures = {"epsilon": claim.epsilon, "delta": claim.delta, "limit": limit, "rows": float(claim.rows)}
    figures |= {
        name: value for name, value in claim.parameters.items() if name in {"sampling_rate", "noise_multiplier"}
    }
    told = f"the run claims epsilon {claim.epsilon:g}, delta {claim.delta:g} by {claim.mechanism}, counted by {claim.accountant}"
    if claim.predictable:
        return Failed(f"{told}, but its noise came from a seed", "draw the noise from the operating system", figures)
    if claim.delta * claim.rows >= 1:
        return Failed(
            f"{told}, but a delta of one in {claim.rows:,} rows allows to tell a whole row",
            "take a delta far below one over the number of rows",
            figures,
        )
    counted = _counted(claim)
    if counted is None:
        return Failed(
            f"{told}, which is no mechanism that can be counted again",
            "train with trustplane.training.private",
            figures,
        )
    figures["counted_epsilon"] = counted
    if counted > claim.epsilon * _SLACK:
        return Failed(f"{told}, but its parameters spend {counted:.4g}", "claim what the accountant gives", figures)
    if claim.epsilon > limit:
        return Failed(
            f"{told}, above the limit of {limit:g}", "train with more noise, for fewer epochs or on more rows", figures
        )
    return Passed(f"{told}; counted again it is {counted:.4g}, and the limit is {limit:g}", figures)


def _counted(claim: Claim) -> float | None:
    """The epsilon that the parameters spend; ``None`` where the mechanism is not known, or a parameter is missing."""
    try:
        if claim.mechanism == STEPS:
            p = claim.parameters
            if not (
                0 < p["sampling_rate"] <= 1 and p["noise_multiplier"] > 0 and 0 < p["steps"] < 10**8 and claim.delta > 0
            ):
                return None
            return spent_by_steps(p["noise_multiplier"], p["sampling_rate"], int(p["steps"]), claim.delta)
        if claim.mechanism == LOGISTIC:
            return _spent_by_noise(claim)
    except (KeyError, OverflowError):
        return None
    return None


def _spent_by_noise(claim: Claim) -> float | None:
    """Chaudhuri, Monteleoni and Sarwate (2011), theorem 9, from the strength of the convex part and the noise back to epsilon."""
    rate, strength = claim.parameters["noise_rate"], claim.parameters["strength"]
    if rate <= 0 or strength <= 0:
        return None
    curve = 0.25 / (claim.rows * strength)
    return 2 * rate + math.log1p(2 * curve + curve**2)
