"""Dates as people write them."""

from typing import Any

from names_corpus import values as v

_OF = {
    "en": "{d} {m} {y}",
    "de": "{d}. {m} {y}",
    "fr": "{d} {m} {y}",
    "es": "{d} de {m} de {y}",
    "it": "{d} {m} {y}",
    "nl": "{d} {m} {y}",
    "pt": "{d} de {m} de {y}",
}
_NUMBERS = (
    "{y}-{n:02d}-{d:02d}", "{d:02d}/{n:02d}/{y}", "{n}/{d}/{y}", "{d:02d}.{n:02d}.{y}", "{d}.{n}.{y}", "{d:02d}-{n:02d}-{y}", "{n:02d}/{d:02d}/{s:02d}", "{d}/{n}/{s:02d}",
    "{y}/{n:02d}/{d:02d}", "{d:02d}.{n:02d}.{s:02d}", "{d}-{n}-{s:02d}", "{n:02d}-{d:02d}-{y}", "{y}.{n:02d}.{d:02d}",
)  # fmt: skip
_ENGLISH = (
    "{m} {d}, {y}", "{m} {d} {y}", "{d}{th} {m} {y}", "{m} {d}{th}, {y}", "{d}{th} of {m} {y}", "{m} {d}{th}", "{d} {m}", "{b} {d}, {y}", "{d} {b} {y}", "{d}-{b}-{y}",
    "{b} {d}", "{m} {d}", "the {d}{th} of {m}", "{w}, {m} {d}, {y}", "{w} {d} {m} {y}", "{w}, {d} {b} {y}", "{m} {y}", "{b} {y}", "{d} {b} {s:02d}", "{d}{b}{y}", "{w} {m} {d}{th}",
    "{b}-{s:02d}", "{n}/{d}", "{d}/{n}",
)  # fmt: skip
_CLOCK = (
    "{} {h:02d}:{i:02d}",
    "{}T{h:02d}:{i:02d}:{s:02d}Z",
    "{} {h:02d}:{i:02d}:{s:02d}",
    "{} at {h}:{i:02d}",
    "{}T{h:02d}:{i:02d}:{s:02d}",
    "{}, {h}:{i:02d} pm",
    "{} {h:02d}:{i:02d}:{s:02d}.123456",
)


def date(fill: Any) -> str:
    """A date in one of many forms; every tenth with a time."""
    dice, language = fill.dice, fill.language
    year, month, day = dice.randint(1930, 2032), dice.randint(1, 12), dice.randint(1, 28)
    wide, short = v.months(language)
    tenth = day % 10 if day not in {11, 12, 13} else 0
    facts = {
        "y": year, "s": year % 100, "n": month, "d": day, "m": wide[month - 1], "b": short[month - 1],
        "th": {1: "st", 2: "nd", 3: "rd"}.get(tenth, "th"), "w": fill.pick(v.weekdays(language)),
    }  # fmt: skip
    roll = dice.random()
    if roll < 0.45:
        made = fill.pick(_NUMBERS).format(**facts)
    elif language == "en":
        made = fill.pick(_ENGLISH).format(**facts).removeprefix("the ")
    else:
        made = fill.pick(
            (
                _OF[language],
                _OF[language],
                "{m} {y}",
                _OF[language].rsplit(" ", 2)[0] if language in {"es", "pt"} else _OF[language].rsplit(" ", 1)[0],
                "{w} " + _OF[language],
            )
        ).format(**facts)
    if dice.random() < 0.1:
        made = fill.pick(_CLOCK).format(made, h=dice.randint(1, 23), i=dice.randint(0, 59), s=dice.randint(0, 59))
    return fill.cased(made)
