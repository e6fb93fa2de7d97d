"""What a threat model says: in figures, as plain data, and in words. No I/O."""

from typing import Any

from trustplane.training.threats.model import Budget, Feature, Goal, Knowledge, Norm, ThreatModel

_KNOWLEDGE = {
    Knowledge.LABELS: "The attacker sees the model's decisions alone.",
    Knowledge.SCORES: "The attacker sees the model's scores.",
    Knowledge.WHITE_BOX: "The attacker knows the model's inside: its gradients and thresholds.",
}


def summary(threat: ThreatModel) -> dict[str, Any]:
    """What it says, in figures."""
    return {
        "name": threat.name,
        "draft": threat.draft,
        "knowledge": str(threat.knowledge),
        "features": len(threat.features),
        "mutable": len(threat.mutable),
        "groups": len(threat.groups),
        "derived": len(threat.derived),
        "relations": len(threat.relations),
    }


def plain(threat: ThreatModel) -> dict[str, Any]:
    """All of it, as JSON can hold it."""
    follows = {derived.feature for derived in threat.derived}
    return {
        "attacker": {"knowledge": str(threat.knowledge)},
        "goal": {"start": threat.goal.start, "margin": threat.goal.margin},
        "budget": {
            "norm": str(threat.budget.norm),
            "distance": threat.budget.distance,
            "cost": threat.budget.cost,
            "features": threat.budget.features,
        },
        "features": [_feature(feature, feature.name in follows) for feature in threat.features],
        "groups": {group.name: list(group.features) for group in threat.groups},
        "derived": {derived.feature: derived.text for derived in threat.derived},
        "relations": [{"name": r.name, "holds": r.text, "tolerance": r.tolerance} for r in threat.relations],
    }


def knowledge_in_words(knowledge: Knowledge) -> str:
    """What the attacker sees of the model."""
    return _KNOWLEDGE[knowledge]


def success_in_words(goal: Goal) -> str:
    """What counts as an evasion."""
    by = f" {'less' if goal.start else 'plus'} {goal.margin:g}" if goal.margin else ""
    turns = "falls below" if goal.start else "reaches"
    return f"A row of class {goal.start} counts as an evasion where its score {turns} the model's threshold{by}."


def budget_in_words(budget: Budget) -> tuple[str, ...]:
    """How much the attacker can change, a sentence for each limit."""
    if budget.norm is Norm.L2:
        distance = (
            f"All changes together, each divided by its feature's scale, have a length of at most {budget.distance:g}."
        )
    else:
        distance = f"No change is more than {budget.distance:g} times its feature's scale."
    said = [distance]
    if budget.cost is not None:
        said.append(
            f"The changes, each divided by its feature's scale and priced, cost at most {budget.cost:g} together."
        )
    if budget.features is not None:
        said.append(f"At most {budget.features:,} {'feature changes' if budget.features == 1 else 'features change'}.")
    return tuple(said)


def _feature(feature: Feature, follows: bool) -> dict[str, Any]:
    """Bounds and the rest of a feature that stays as it is mean nothing, and are not told."""
    moves = feature.mutable or follows
    return {
        "name": feature.name,
        "type": str(feature.kind),
        "mutable": feature.mutable,
        "low": feature.low if moves else None,
        "high": feature.high if moves else None,
        "direction": str(feature.direction) if moves else None,
        "scale": feature.scale if moves else None,
        "cost": feature.cost if moves else None,
    }
