"""Texts with known spans: templates of one side of the split, filled with values of the same side.

A template is a line. ``[a|b|]`` is one of several wordings, ``{kind}`` a gap; two characters ``\\n`` are a line break.
"""

import random
import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from zlib import crc32

from names_corpus.fills import ENTITIES, Fill
from names_corpus.grammar import Grammar
from names_corpus.values import LANGUAGES, common_words

Marked = tuple[str, list[tuple[int, int, str]]]
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_GAP = re.compile(r"\{(\w+)\}")
_EVERY = 6
NOISE = 0.2
"""The share of sentences for training that are made of common words in no order."""
CLAUSES = 0.4
"""The share of English sentences for training that the grammar makes."""
_MARKS = ("> ", "| ", "* ", "- ", "# ", "// ", "}} ", "  ", "\\t", "; ")
"""What programs write in front of lines."""
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
    grammar = Grammar(dice)
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
            elif language == "en" and not held and roll > 1 - CLAUSES:
                made, marks = filled(grammar.sentence(), fills[language])
            else:
                name = "en_plain" if language == "en" and NOISE < roll < NOISE + 0.15 else language
                made, marks = filled(dice.choice(templates(name, held=held)), fills[language])
            text += "" if not part else dice.choice((" ", " ", " ", "\n", "\n\n"))
            spans += [(start + len(text), end + len(text), entity) for start, end, entity in marks]
            text += made
        text, spans = _relined(text, spans, dice)
        yield _recased(text, dice), spans


def _relined(text: str, spans: list[tuple[int, int, str]], dice: random.Random) -> Marked:
    """Some texts with their line breaks as programs write them: escaped, or with a mark in front of each line."""
    roll = dice.random()
    if roll > 0.3 or "\n" not in text:
        return text, spans
    joint = "\\n" if roll < 0.12 else "\n" + dice.choice(_MARKS) if roll < 0.22 else "\\n" + dice.choice(_MARKS)
    places = [at for at, sign in enumerate(text) if sign == "\n"]
    longer = len(joint) - 1
    moved = [
        (start + longer * bisect_left(places, start), end + longer * bisect_left(places, end), entity)
        for start, end, entity in spans
    ]
    return text.replace("\n", joint), moved


def _recased(text: str, dice: random.Random) -> str:
    roll = dice.random()
    changed = text.lower() if roll < 0.06 else text.upper() if roll < 0.10 else text
    return changed if len(changed) == len(text) else text
