"""Texts with known spans: templates of one side of the split, filled with values of the same side.

A template is a line. ``[a|b|]`` is one of several wordings, ``{kind}`` a gap; two characters ``\\n`` are a line break.
"""

import random
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from zlib import crc32

from names_corpus.fills import ENTITIES, Fill
from names_corpus.values import LANGUAGES, common_words

Marked = tuple[str, list[tuple[int, int, str]]]
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_GAP = re.compile(r"\{(\w+)\}")
_EVERY = 6
NOISE = 0.2
"""The share of sentences for training that are made of common words in no order."""
_ALONE = (
    "full",
    "full",
    "full",
    "city",
    "country",
    "date",
    "company",
    "nrp",
    "address",
    "thing",
    "ref",
    "num",
    "phone",
    "card",
    "title",
)


@cache
def templates(name: str, *, held: bool) -> list[str]:
    """The templates of a file; one in six is held out, by its digest."""
    lines = [
        line for line in (Path(__file__).parent / "templates" / f"{name}.txt").read_text("utf-8").splitlines() if line
    ]
    return [
        line.replace("\\n", "\n").replace("\\t", "\t") for line in lines if (crc32(line.encode()) % _EVERY == 0) == held
    ]


def filled(template: str, fill: Fill) -> Marked:
    """A template with its wordings chosen and its gaps filled."""
    worded = _CHOICE.sub(lambda m: fill.pick(m[1].split("|")), template)
    text, spans, at = "", [], 0
    for gap in _GAP.finditer(worded):
        text += worded[at : gap.start()]
        value = fill.kinds[gap[1]]().strip()
        if gap[1] in ENTITIES and value:
            spans.append((len(text), len(text) + len(value), ENTITIES[gap[1]]))
        text += value
        at = gap.end()
    return text + worded[at:], spans


def noise(fill: Fill) -> Marked:
    """Common words in no order, among them what is known without its context: no sentence of a person, but one of words."""
    dice, known = fill.dice, common_words(fill.language)
    parts = [dice.choice(known) for _ in range(dice.randint(2, 11))]
    if dice.random() < 0.2:
        parts = [word.capitalize() for word in parts[:4]]
    for _ in range(dice.choice((0, 1, 1, 2))):
        parts.insert(dice.randint(0, len(parts)), "{" + dice.choice(_ALONE) + "}")
    line = " ".join(parts) + dice.choice((".", "?", "", "!", ","))
    return filled(line if line[0] == "{" else line[0].upper() + line[1:], fill)


def texts(count: int, seed: int, *, held: bool, english: float = 0.7, known: bool | None = None) -> Iterator[Marked]:
    """``count`` texts of one to four templates each, some with the case of all letters changed."""
    dice = random.Random(seed)  # noqa: S311 - draws words, guards nothing
    fills = {language: Fill(dice, language, held=held if known is None else not known) for language in LANGUAGES}
    others = [language for language in LANGUAGES if language != "en"]
    for _ in range(count):
        language = "en" if dice.random() < english else dice.choice(others)
        roll = dice.random()
        parts = 1 if roll < 0.5 else 2 if roll < 0.78 else 3 if roll < 0.93 else 4
        text, spans = "", list[tuple[int, int, str]]()
        for part in range(parts):
            roll = dice.random()
            if roll < NOISE and not held and common_words(language):
                made, marks = noise(fills[language])
            else:
                name = "en_plain" if language == "en" and NOISE < roll < NOISE + 0.2 else language
                made, marks = filled(dice.choice(templates(name, held=held)), fills[language])
            text += "" if not part else dice.choice((" ", " ", " ", "\n", "\n\n"))
            spans += [(start + len(text), end + len(text), entity) for start, end, entity in marks]
            text += made
        yield _recased(text, dice), spans


def _recased(text: str, dice: random.Random) -> str:
    roll = dice.random()
    changed = text.lower() if roll < 0.06 else text.upper() if roll < 0.10 else text
    return changed if len(changed) == len(text) else text
