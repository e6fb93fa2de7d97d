"""Decisions per second of one core (processor time), beside the same engine when it parses its texts anew for each."""

import time
from collections.abc import Iterator
from itertools import count

from measure import Figure, best, options, report
from trustplane.kernel.policy.engine import builtin
from trustplane.kernel.policy.requests import Principal, Ref, Request, Resource, account


def requests(entities: bool) -> Iterator[Request]:
    """Requests to open a view; with ``entities`` each is by somebody else and about another resource."""
    for n in count():
        who = Principal("user", f"user-{n}" if entities else "user", frozenset({"scientist"}), None)
        view = Resource(
            "Dataset",
            f"dataset-{n}" if entities else "dataset",
            {
                "owner": account("owner"),
                "purposes": frozenset({"dpv:ServiceProvision"}),
                "personal": True,
                "held": False,
            },
            (Ref("Project", "project"),),
        )
        yield Request(who, "dataset.read", view, 1_760_000_000, {}, ("*",))


def main() -> None:
    settings = options("Policy decisions per second.")
    total = 2_000 if settings.quick else 20_000
    engine = builtin()

    def rate(entities: bool) -> float:
        asked = requests(entities)
        batch = [next(asked) for _ in range(total)] if entities else [next(asked)] * total
        start = time.process_time()
        for request in batch:
            engine.decide(request)
        return total / (time.process_time() - start)

    def reparsed() -> float:
        from importlib.resources import files

        import cedarpy

        rules = files("trustplane.kernel.policy") / "rules"
        schema = (rules / "schema.cedarschema").read_text("utf-8")
        texts = "\n".join(source.text for source in engine.sources if source.name.endswith(".cedar"))
        body = {
            "principal": 'User::"user"',
            "action": 'Action::"dataset.read"',
            "resource": 'Dataset::"dataset"',
            "context": {"now": 1},
        }
        start, times = time.process_time(), 20
        for _ in range(times):
            cedarpy.is_authorized(body, texts, [], schema)
        return times / (time.process_time() - start)

    cached, fresh, peer = best(lambda: rate(False)), best(lambda: rate(True)), reparsed()
    figures = [
        Figure("decisions, the same request", cached, "per second", 15_000),
        Figure("decisions, entities of each request added", fresh, "per second", 7_000),
        Figure("beside parsing policies and schema for each", fresh / peer, "times", 10),
    ]
    report(figures, settings, peer=f"cedarpy with texts: {peer:,.0f} per second")


if __name__ == "__main__":
    main()
