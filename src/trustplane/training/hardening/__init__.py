"""Models made harder to evade, within the threat model that they will be attacked by."""

from trustplane.training.hardening.harden import Hardened, Recipe, harden

__all__ = ["Hardened", "Recipe", "harden"]
