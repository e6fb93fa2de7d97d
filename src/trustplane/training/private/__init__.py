"""Differentially private training, for scripts of runs: what a model tells of any one row is bounded, whoever asks and whatever they know."""

from trustplane.training.private.claims import Claim, write_claim
from trustplane.training.private.logistic import Bounds, PrivateLogistic, fit_logistic
from trustplane.training.private.sgd import PrivateSteps, train_module

__all__ = ["Bounds", "Claim", "PrivateLogistic", "PrivateSteps", "fit_logistic", "train_module", "write_claim"]
