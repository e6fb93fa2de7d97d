"""Addresses as several countries write them, on one line or several."""

from functools import cache
from typing import Any

from names_corpus import values as v

_KINDS = ("Street", "St", "St.", "Road", "Rd", "Rd.", "Avenue", "Ave", "Lane", "Drive", "Dr", "Boulevard", "Blvd", "Court", "Square", "Terrace", "Way", "Close", "Place", "Crescent",
          "Gardens", "Hill", "Park", "Row", "Circle", "Parkway", "Highway", "Green", "Mews", "Grove", "Walk", "Trail", "Alley")  # fmt: skip
_TREES = [
    "Oak",
    "Maple",
    "Cedar",
    "Pine",
    "Elm",
    "Main",
    "High",
    "Church",
    "Mill",
    "Station",
    "Park",
    "Victoria",
    "King",
    "Queen's",
    "Washington",
    "Lincoln",
    "Jefferson",
    "School",
    "Bridge",
    "Castle",
    "London",
    "York",
    "Green",
    "North",
    "South",
    "West",
    "East",
    "Spring",
    "River",
    "Lake",
    "Hill",
    "Sunset",
    "Willow",
    "Chestnut",
    "Walnut",
    "Birch",
    "Market",
    "Manor",
    "Grange",
    "Albert",
    "George",
    "Meadow",
    "Orchard",
    "5th",
    "42nd",
    "Second",
    "Third",
    "1st",
]
_CODES = ("{a}{a}{n}", "{n5}", "{a}{d} {d}{a}{a}", "{a}{a}{d}{d} {d}{a}{a}", "{a}{d}{a} {d}{a}{a}")
_UNITS = (
    "Apt {n}",
    "Apt. {n}",
    "Suite {n}",
    "Flat {n}",
    "Unit {n}",
    "#{n}",
    "Floor {n}",
    "Apt {n}B",
    "Apartment {n}",
    "Flat {n}A",
    "Building {n}",
    "Room {n}",
)


@cache
def _streets(*, held: bool) -> list[str]:
    return v.split(v.listed("address", "streets|street_names"), held=held)


def _number(fill: Any) -> str:
    number = fill.dice.choice(
        (
            fill.dice.randint(1, 99),
            fill.dice.randint(1, 400),
            fill.dice.randint(100, 9999),
            fill.dice.randint(1000, 99_999) if fill.language == "en" else 7,
        )
    )
    return f"{number}{fill.dice.choice('abcABC') if fill.dice.random() < 0.06 else ''}"


def _line(fill: Any, country: str) -> str:  # noqa: PLR0911 - one return for each country
    """Street and number."""
    number, last, first = _number(fill), fill.family(), fill.given()
    match country:
        case "de":
            name = fill.pick(
                (last, fill.city(), "Haupt", "Bahnhof", "Garten", "Schul", "Berg", "Wald", "Kirch", "Linden", first)
            )
            return f"{name}{fill.pick(('straße', 'str.', 'weg', 'gasse', 'allee', 'platz', 'strasse', '-Straße', ' Straße'))} {number}"
        case "fr":
            kind = fill.pick(
                ("rue", "avenue", "boulevard", "place", "chemin", "impasse", "Rue", "quai", "allée", "route")
            )
            return f"{number}{fill.pick((',', '', ' bis', ''))} {kind} {fill.pick(('de ', 'du ', 'de la ', 'des ', '', '', ''))}{fill.pick((last, f'{first} {last}', fill.city(), 'Paix', 'Gare', 'Lilas', 'Moulin'))}"
        case "es":
            return f"{fill.pick(('Calle', 'C/', 'Avenida', 'Av.', 'Plaza', 'Paseo', 'calle', 'Carrer', 'Camino'))} {fill.pick(('de ', 'de la ', '', ''))}{fill.pick((last, f'{first} {last}', fill.city(), 'Mayor', 'Real', 'Sol'))}{fill.pick((',', '', ' nº', ', nº'))} {number}{fill.pick(('', '', ', 2º B', ', 3 izq.'))}"
        case "it":
            return f"{fill.pick(('Via', 'Viale', 'Piazza', 'Corso', 'via', 'Largo', 'Vicolo'))} {fill.pick((last, f'{first} {last}', fill.city(), 'Roma', 'Garibaldi', 'della Repubblica'))}{fill.pick((',', '', ' n.'))} {number}"
        case "nl":
            return f"{fill.pick((last, 'Kerk', 'Dorps', 'School', 'Molen', 'Keizers', first))}{fill.pick(('straat', 'laan', 'weg', 'gracht', 'plein', 'kade', 'dijk'))} {number}"
        case "pt":
            return f"{fill.pick(('Rua', 'Avenida', 'Av.', 'Praça', 'Travessa', 'R.', 'Largo'))} {fill.pick(('de ', 'da ', 'do ', 'dos ', '', ''))}{fill.pick((last, f'{first} {last}', fill.city(), 'Liberdade', 'Flores'))}{fill.pick((',', ' nº', ''))} {number}"
        case "other":
            street = (
                fill.pick(_streets(held=fill.held))
                if fill.dice.random() < 0.5
                else last
                + fill.pick(
                    (
                        "gatan",
                        "vägen",
                        "gata",
                        "vej",
                        "gade",
                        "veien",
                        "katu",
                        "tie",
                        "kuja",
                        " utca",
                        " u.",
                        " ut",
                        "ova",
                        "ska",
                        " ulice",
                        "s iela",
                        "kuntie",
                        "allé",
                        "backe",
                        "ntie",
                        "brautin",
                        "gatnamót",
                        " Cad.",
                    )
                )
            )
            prefix = fill.pick(("ul. ", "ulica ", "Str. ", "")) if fill.dice.random() < 0.25 else ""
            return f"{number} {prefix}{street}" if fill.dice.random() < 0.2 else f"{prefix}{street} {number}"
        case _:
            if fill.dice.random() < 0.05:
                return f"{fill.pick(('P.O. Box', 'PO Box', 'P. O. Box', 'Postfach'))} {number}"
            name = fill.pick(
                (
                    fill.pick(_TREES),
                    last,
                    last,
                    f"{first} {last}",
                    f"{fill.pick(_TREES)} {fill.pick(_TREES)}",
                    fill.city(),
                )
            )
            return f"{number} {fill.pick(('', '', '', 'N ', 'S. ', 'West ', 'NE '))}{name} {fill.pick(_KINDS)}"


def code(fill: Any, country: str) -> str:
    """A postal code of a country."""
    a, d = fill.dice.choices("ABCDEFGHLMNPRSTUWY", k=6), [str(fill.dice.randint(0, 9)) for _ in range(9)]
    if country == "uk":
        return fill.pick(
            (
                f"{a[0]}{d[0]} {d[1]}{a[1]}{a[2]}",
                f"{a[0]}{a[3]}{d[0]} {d[1]}{a[1]}{a[2]}",
                f"{a[0]}{a[3]}{d[0]}{d[2]} {d[1]}{a[1]}{a[2]}",
                f"{a[0]}{d[0]}{a[4]} {d[1]}{a[1]}{a[2]}",
                f"{a[0]}{a[3]}{d[0]}{d[1]}{a[1]}{a[2]}",
            )
        )
    if country == "us":
        return "".join(d[:5]) + ("-" + "".join(d[5:9]) if fill.dice.random() < 0.1 else "")
    if country == "nl":
        return f"{''.join(d[:4])} {a[0]}{a[1]}"
    if country == "pt":
        return f"{''.join(d[:4])}-{''.join(d[4:7])}"
    return (
        fill.pick(
            (
                "".join(d[:5]),
                "".join(d[:4]),
                "".join(d[:6]),
                f"{''.join(d[:3])} {''.join(d[3:5])}",
                f"{a[0]}{d[0]}{a[1]} {d[1]}{a[2]}{d[2]}",
            )
        )
        if country == "other"
        else "".join(d[:5])
    )


def _military(fill: Any) -> str:
    """An address of the armed forces of the United States."""
    first = fill.pick(
        (
            "PSC {n}, Box {m}",
            "Unit {n} Box {m}",
            "Unit {n}",
            "USS {last}",
            "USNS {last}",
            "USCGC {last}",
            "CMR {n} Box {m}",
        )
    )
    line = first.format(n=fill.dice.randint(10, 9999), m=fill.dice.randint(1, 9999), last=fill.family())
    return f"{line}{fill.pick((', ', ' ', chr(10), '/'))}{fill.pick(('APO', 'FPO', 'DPO'))} {fill.pick(('AA', 'AE', 'AP'))} {code(fill, 'us')}"


def road(fill: Any) -> str:
    """A street as people name it in a sentence, without a number."""
    line = _line(fill, fill.pick(("us", "us", "uk", "de", "fr", "es", "it", "nl", "pt", "other", "other")))
    name = (
        " ".join(part for part in line.replace(",", "").split() if not part[0].isdigit())
        .removesuffix(" nº")
        .removesuffix(" n.")
    )
    return name or line


def address(fill: Any, *, street: bool = False) -> str:
    """An address in the form of the language's country, every third of another; with ``street`` only its first line."""
    home = fill.language if fill.language != "en" else fill.dice.choice(("us", "us", "uk"))
    country = (
        home
        if fill.dice.random() < 0.6
        else fill.pick(("us", "uk", "de", "fr", "es", "it", "nl", "pt", "other", "other", "other"))
    )
    if country == "us" and fill.dice.random() < 0.06:
        return _military(fill)
    line = _line(fill, country)
    unit = (
        fill.pick(_UNITS).format(n=fill.dice.randint(1, 999))
        if fill.dice.random() < (0.2 if country in {"us", "uk", "other"} else 0.04)
        else ""
    )
    if street:
        return fill.cased(f"{line}{fill.pick((', ', ' '))}{unit}" if unit else line)
    city, post = fill.city(), code(fill, country)
    state = fill.region() if fill.dice.random() < 0.3 else "".join(fill.dice.choices("ACDFGIKLMNOTVWXY", k=2))
    towns = {
        "us": (
            f"{city}, {state} {post}",
            f"{city}, {state}",
            f"{city}, {state}, {post}",
            f"{city} {state} {post}",
            city,
        ),
        "uk": (f"{city} {post}", f"{city}, {post}", city, f"{city}, {fill.region()}, {post}"),
    }.get(country, (f"{post} {city}", f"{post} {city}", f"{city} {post}", city, f"{post} {city}, {state}"))
    parts = [line, *([unit] if unit else []), fill.pick(towns)]
    if fill.dice.random() < 0.35:
        parts.append(fill.country() + (f" {post}" if fill.dice.random() < 0.1 else ""))
    roll = fill.dice.random()
    joint = (
        ", "
        if roll < 0.66
        else "\n"
        if roll < 0.8
        else " "
        if roll < 0.87
        else ",\n"
        if roll < 0.91
        else "\n" + " " * fill.dice.randint(1, 8)
        if roll < 0.96
        else "\n\n"
        if roll < 0.98
        else " - "
        if roll < 0.985
        else "/"
    )
    return fill.cased(joint.join(parts))
