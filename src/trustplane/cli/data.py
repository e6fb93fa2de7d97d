"""``trustplane data``."""

from pathlib import Path
from typing import Annotated

import typer

from trustplane.cli.context import Usage
from trustplane.cli.output import emit, say, table
from trustplane.client.embedded import evaluate_discovery as evaluated

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Try discovery of personal data.")


@app.callback()
def data() -> None:
    """Try discovery of personal data."""


@app.command("evaluate-discovery")
def evaluate_discovery(
    corpus: Annotated[Path, typer.Argument(help="JSON Lines of full_text and spans.")],
    alias: Annotated[list[str], typer.Option(help="The corpus's name for an entity, as theirs:ours.")] = [],
    overlap: Annotated[
        float, typer.Option(help="The share of their union that a find and a span must have in common.")
    ] = 0.5,
    join: Annotated[
        list[str], typer.Option(help="An entity of which adjoining spans, with only spaces and signs between, are one.")
    ] = [],
) -> None:
    """How well the installed recognisers find the spans of a corpus. No workspace is needed, and nothing is kept.

    trustplane data evaluate-discovery corpus.jsonl --alias DOMAIN_NAME:URL --alias CITY:LOCATION --join LOCATION
    """
    pairs = [text.partition(":") for text in alias]
    if any(not theirs or not ours for theirs, _, ours in pairs):
        raise Usage("an alias is given as theirs:ours")
    facts = evaluated(corpus, {theirs: ours for theirs, _, ours in pairs}, overlap, join)

    def show() -> None:
        figures = [(name, name) for name in ("spans", "found", "right", "precision", "recall", "f1")]
        rows = [
            *facts["entities"],
            {"entity": "all", **facts["overall"]},
            {"entity": "all that a recogniser knows", **facts["overall_known"]},
        ]
        say(f"{facts['texts']} texts of {facts['characters']} characters")
        table(rows, [("entity", "entity"), *figures])

    emit(facts, show)
