"""What stands in the gaps of templates, written in the many ways that people write it."""

import random
from collections.abc import Callable
from functools import cache, cached_property

from names_corpus import values as v
from names_corpus import words as w
from names_corpus.addresses import address, code, road
from names_corpus.dates import date

ENTITIES = {
    "person": "PERSON", "full": "PERSON", "formal": "PERSON", "first": "PERSON", "last": "PERSON", "city": "LOCATION", "country": "LOCATION", "region": "LOCATION",
    "place": "LOCATION", "address": "LOCATION", "street": "LOCATION", "road": "LOCATION", "zip": "LOCATION", "org": "ORGANIZATION", "company": "ORGANIZATION", "hospital": "ORGANIZATION",
    "date": "DATE_TIME", "day": "DATE_TIME", "year": "DATE_TIME", "month": "DATE_TIME", "nrp": "NRP", "belief": "NRP",
}  # fmt: skip
PARTICLES = (
    "van",
    "van der",
    "van den",
    "de",
    "de la",
    "del",
    "von",
    "di",
    "da",
    "dos",
    "bin",
    "al",
    "el",
    "ten",
    "O'",
    "Mc",
    "Mac",
    "D'",
    "Al-",
    "St. ",
)
CLOSED = frozenset({"country", "demonym", "belief"})
"""What is listed whole, so that none of it is held out."""
FOREIGN = 0.35
"""The share of names from all languages in a text of one."""


@cache
def _first(language: str, *, held: bool) -> list[str]:
    return v.split(v.first_names(language), held=held)


@cache
def _last(language: str, *, held: bool) -> list[str]:
    return v.split(v.last_names(language), held=held)


@cache
def _cities(kind: int, *, held: bool) -> list[str]:
    return v.split(v.cities()[kind], held=held)


@cache
def _listed(kind: str, language: str, *, held: bool) -> list[str]:
    known = {
        "region": v.regions, "demonym": lambda: w.DEMONYMS, "belief": lambda: w.BELIEFS, "brand": lambda: w.BRANDS,
        "country": lambda: v.countries(language),
    }  # fmt: skip
    return known[kind]() if kind in CLOSED else v.split(known[kind](), held=held)


class Fill:
    """Fill-ins of one language and one side of the split, by the chance of ``dice``."""

    def __init__(self, dice: random.Random, language: str, *, held: bool) -> None:
        self.dice, self.language, self.held = dice, language, held

    @cached_property
    def kinds(self) -> dict[str, Callable[[], str]]:
        """Every kind of gap."""
        names = (
            *ENTITIES,
            *[
                "num",
                "money",
                "ref",
                "phone",
                "email",
                "url",
                "time",
                "age",
                "product",
                "job",
                "symptom",
                "object",
                "thing",
                "title",
                "iban",
                "card",
            ],
        )
        return {name: getattr(self, name) for name in names}

    def pick(self, many: "list[str] | tuple[str, ...]") -> str:
        """One of many."""
        return many[int(self.dice.random() * len(many))]

    def given(self) -> str:
        """A first name as it is listed."""
        return self.pick(_first("" if self.dice.random() < FOREIGN else self.language, held=self.held))

    def family(self) -> str:
        """A surname, now and then of two parts."""
        name = self.pick(_last("" if self.dice.random() < FOREIGN else self.language, held=self.held))
        roll = self.dice.random()
        if roll < 0.04:
            return f"{name}-{self.pick(_last('', held=self.held))}"
        if roll < 0.09:
            particle = self.pick(PARTICLES)
            return (
                particle + name
                if particle[-1] in "'c-" or particle == "Mac"
                else f"{particle} {name}".replace("  ", " ")
            )
        if roll < 0.13 and self.language in {"es", "pt"}:
            return f"{name} {self.pick(_last(self.language, held=self.held))}"
        return name

    def _initial(self) -> str:
        return self.given()[0].upper()

    def cased(self, name: str) -> str:
        """The name, now and then in small or in capital letters."""
        roll = self.dice.random()
        return name.lower() if roll < 0.01 else name.upper() if roll < 0.04 else name

    def full(self) -> str:
        """A first name and a surname, in one of many forms."""
        first, last, roll = self.given(), self.family(), self.dice.random()
        forms = (
            (0.50, f"{first} {last}"), (0.58, f"{first} {self._initial()}. {last}"), (0.64, f"{first} {self._initial()} {last}"),
            (0.69, f"{first[0]}. {last}"), (0.72, f"{first[0]}.{self._initial()}. {last}"), (0.73, f"{first[0]} {last}"),
            (0.81, f"{first} {self.given()} {last}"), (0.83, f"{last.upper()} {first}"), (0.86, f"{last} {first}"), (0.90, f"{first} {last}{self.pick((' Jr.', ' Jr', ' Sr.', ' III', ' II'))}"),
            (0.93, f"{first}-{self.given()} {last}"), (0.95, f"{first} {self._initial()}. {self._initial()}. {last}"),
            (1.01, f"{first} {last.upper()}"),
        )  # fmt: skip
        return self.cased(next(form for limit, form in forms if roll < limit))

    def formal(self) -> str:
        """A full name as forms have it, every fourth with the surname first."""
        if self.dice.random() < 0.75:
            return self.full()
        return self.cased(
            f"{self.family()}, {self.given()}{self.pick(('', '', f' {self._initial()}.', f' {self._initial()}'))}"
        )

    def person(self) -> str:
        """A name as people write it: in full, or only a part."""
        roll = self.dice.random()
        return self.full() if roll < 0.62 else self.first() if roll < 0.86 else self.last()

    def first(self) -> str:
        """A first name."""
        return self.cased(self.given())

    def last(self) -> str:
        """A surname."""
        return self.cased(self.family())

    def title(self) -> str:
        """What stands in front of a name, and is none."""
        held = {
            "en": ("Mr", "Mr.", "Mrs", "Mrs.", "Ms", "Ms.", "Miss", "Dr", "Dr.", "Prof.", "Professor", "Sir", "Lady", "Rev.", "Captain", "Judge", "Nurse"),
            "de": ("Herr", "Frau", "Dr.", "Prof.", "Herrn"), "fr": ("M.", "Mme", "Mlle", "Monsieur", "Madame", "Dr"), "es": ("Sr.", "Sra.", "Don", "Doña", "señor", "señora", "Dr."),
            "it": ("Sig.", "Signora", "Signor", "Dott.", "Dott.ssa", "Avv."), "nl": ("dhr.", "mevr.", "meneer", "mevrouw", "dr."), "pt": ("Sr.", "Sra.", "Dr.", "Dra.", "senhor", "senhora"),
        }  # fmt: skip
        return self.pick(held[self.language])

    def city(self) -> str:
        """A city, town or village."""
        roll = self.dice.random()
        if roll < 0.07 and self.language == "en":
            return (
                self.pick(("East ", "West ", "North ", "South ", "New ", "Lake ", "Port ", ""))
                + self.family()
                + self.pick(("", "ville", "ton", "burgh", "field", "ford", "mouth", "ham", "view", " Heights"))
            )
        city = self.pick(_cities(int(roll > 0.6), held=self.held))
        return self.cased(city)

    def country(self) -> str:
        """A country, as the language names it."""
        roll = self.dice.random()
        if roll < 0.08 and self.language == "en" and not self.held:
            return self.pick(
                (
                    "the US",
                    "USA",
                    "UK",
                    "the UK",
                    "U.S.",
                    "US",
                    "United States of America",
                    "UAE",
                    "Great Britain",
                    "England",
                    "Scotland",
                    "Wales",
                )
            ).removeprefix("the ")
        return self.cased(self.pick(_listed("country", self.language, held=self.held)))

    def region(self) -> str:
        """A state or province."""
        return self.cased(self.pick(_listed("region", "", held=self.held)))

    def place(self) -> str:
        """A city, region or country."""
        roll = self.dice.random()
        return self.city() if roll < 0.55 else self.country() if roll < 0.82 else self.region()

    def address(self) -> str:
        """A whole address, or a street and a number with a part of the rest."""
        return address(self)

    def street(self) -> str:
        """A street with a number."""
        return address(self, street=True)

    def road(self) -> str:
        """A street without a number."""
        return self.cased(road(self))

    def zip(self) -> str:
        """A postal code alone."""
        return code(self, self.pick(("us", "us", "uk", "nl", "pt", "other", "other")))

    def _coined(self) -> str:
        name = "".join(self.pick(w.SYLLABLES) for _ in range(self.dice.choice((1, 2, 2, 3)))) + self.pick(
            (*w.ENDINGS, "")
        )
        roll = self.dice.random()
        return (
            name.capitalize()
            if roll < 0.7
            else name.upper()
            if roll < 0.75
            else self.pick(w.SYLLABLES).capitalize() + name.capitalize()
        )

    def acronym(self) -> str:
        """A few capital letters."""
        return "".join(self.dice.choices("ABCDEFGHIKLMNOPRSTUVWZ", k=self.dice.choice((2, 3, 3, 4, 4, 5))))

    def _head(self) -> str:
        roll = self.dice.random()
        return (
            self._coined()
            if roll < 0.4
            else self.family()
            if roll < 0.65
            else self.pick(w.ADJECTIVES)
            if roll < 0.9
            else self.pick(_cities(0, held=self.held))
        )

    def company(self) -> str:
        """A company, with or without its legal form."""
        roll, form = self.dice.random(), self.pick(w.FORMS[self.language])
        head = self._head()
        noun = self.pick(w.NOUNS)
        if roll < 0.20:
            made = self._coined()
        elif roll < 0.30:
            made = self.pick(_listed("brand", "", held=self.held))
        elif roll < 0.34:
            made = self.acronym()
        elif roll < 0.54:
            made = f"{head} {noun}"
        elif roll < 0.62:
            made = f"{head} {noun} {form}"
        elif roll < 0.78:
            made = f"{head}{self.pick((',', '', '', '')) if form[0].isalpha() else ''} {form}"
        elif roll < 0.86:
            made = f"{self.family()} {self.pick(('&', '&', '&', 'and'))} {self.pick((self.family(), 'Sons', 'Partners', 'Co', 'Daughters', 'Brothers'))}"
        elif roll < 0.90:
            made = f"{self.family()}, {self.family()} and {self.family()}"
        elif roll < 0.92:
            made = f"{self.family()}-{self.family()}"
        elif roll < 0.96:
            made = self._long()
        else:
            made = f"{self.pick(w.ADJECTIVES)} {self._head()} {noun}"
        roll = self.dice.random()
        return made.lower() if roll < 0.02 else made.upper() if roll < 0.04 else made

    def _long(self) -> str:
        """A fund or a firm with a name of many words."""
        place = self.pick((*_listed("country", self.language, held=self.held), *_cities(0, held=self.held)[:200]))
        words = [self.pick((place, self.pick(w.ADJECTIVES), self._head()))]
        words += [
            self.pick(w.ADJECTIVES if self.dice.random() < 0.4 else w.NOUNS) for _ in range(self.dice.randint(1, 3))
        ]
        return " ".join(
            (
                *words,
                self.pick(
                    (
                        "Fund",
                        "Trust",
                        "ETF",
                        "Fund II",
                        "Co.Ltd.",
                        "Index Fund",
                        "Trust III",
                        "Bond Fund",
                        "plc",
                        "Holdings",
                        "& Co.",
                        "Corp",
                        "N.V.",
                        "Group",
                        "Association",
                    )
                ),
            )
        )

    def org(self) -> str:
        """A company, an authority, a university, a charity, a club."""
        if self.dice.random() < 0.72:
            return self.company()
        city, where = (
            self.pick(_cities(0, held=self.held)),
            self.pick(_listed("country", self.language, held=self.held)),
        )
        noun = self.pick(
            (
                "Health",
                "Finance",
                "Justice",
                "Education",
                "Agriculture",
                "Transport",
                "Labour",
                "the Interior",
                "Foreign Affairs",
            )
        )
        forms = {
            "en": ("University of {0}", "{0} University", "{0} City Council", "Ministry of {2}", "Department of {2}", "Bank of {1}", "{0} Football Club", "{0} FC", "{0} United",
                   "{3} Foundation", "{3} Institute", "{0} Police Department", "{3} Memorial Library", "St. {4}'s School", "{0} College", "National {3} Society", "{0} Chamber of Commerce"),
            "de": ("Universität {0}", "Stadtwerke {0}", "Sparkasse {0}", "Finanzamt {0}", "Landgericht {0}", "FC {0}", "{3}-Stiftung", "Technische Universität {0}", "Volksbank {0}"),
            "fr": ("Université de {0}", "Mairie de {0}", "Préfecture de {0}", "Banque de {1}", "Fondation {3}", "Lycée {3}", "Caisse d'Épargne {0}", "Tribunal de {0}"),
            "es": ("Universidad de {0}", "Ayuntamiento de {0}", "Banco de {1}", "Fundación {3}", "Instituto {3}", "Banco {3}", "Juzgado de {0}", "Real {0}"),
            "it": ("Università di {0}", "Comune di {0}", "Banca di {0}", "Fondazione {3}", "Tribunale di {0}", "Liceo {3}", "Banca {3}"),
            "nl": ("Universiteit {0}", "Gemeente {0}", "Rechtbank {0}", "Stichting {3}", "Bank van {0}", "Hogeschool {0}"),
            "pt": ("Universidade de {0}", "Câmara Municipal de {0}", "Banco de {1}", "Fundação {3}", "Tribunal de {0}", "Banco {3}", "Instituto {3}"),
        }  # fmt: skip
        return self.pick(forms[self.language]).format(city, where, noun, self.family(), self.given())

    def hospital(self) -> str:
        """A hospital or practice."""
        city, last, first = self.pick(_cities(0, held=self.held)), self.family(), self.given()
        forms = {
            "en": ("{0} General Hospital", "St. {2}'s Hospital", "{0} Medical Center", "{1} Clinic", "Royal {0} Infirmary", "{1} Memorial Hospital", "{0} Children's Hospital", "{0} Surgery", "{1} Dental Practice"),
            "de": ("Klinikum {0}", "Universitätsklinikum {0}", "St.-{2}-Krankenhaus", "Charité {0}", "Praxis {1}"), "fr": ("CHU de {0}", "Hôpital Saint-{2}", "Clinique {1}", "Hôpital {1}"),
            "es": ("Hospital General de {0}", "Clínica {1}", "Hospital San {2}", "Hospital {1}"), "it": ("Ospedale di {0}", "Policlinico {1}", "Ospedale San {2}", "Clinica {1}"),
            "nl": ("Ziekenhuis {0}", "UMC {0}", "Sint {2} Ziekenhuis", "Kliniek {1}"), "pt": ("Hospital de {0}", "Clínica {1}", "Hospital São {2}", "Centro de Saúde de {0}"),
        }  # fmt: skip
        return self.pick(forms[self.language]).format(city, last, first)

    def date(self) -> str:
        """A date, alone or with its time."""
        return date(self)

    def day(self) -> str:
        """A day of the week."""
        return self.cased(self.pick(v.weekdays(self.language)))

    def month(self) -> str:
        """A month, alone or with its year."""
        name = self.pick(v.months(self.language)[0])
        return name if self.dice.random() < 0.4 else f"{name} {self.year()}"

    def year(self) -> str:
        """A year."""
        return str(self.dice.randint(1930, 2032))

    def nrp(self) -> str:
        """People of a country, a belief or a party."""
        name = self.pick(_listed("demonym" if self.dice.random() < 0.8 else "belief", "", held=self.held))
        roll = self.dice.random()
        if roll < 0.2 and name[-1] in "na":
            name += "s"
        return name.lower() if roll < 0.04 or roll > 0.95 else name

    def belief(self) -> str:
        """A belief or party."""
        return self.pick(_listed("belief", "", held=self.held))

    def num(self) -> str:
        """A number of no meaning."""
        return self.pick(
            (
                str(self.dice.randint(1, 99)),
                str(self.dice.randint(100, 99_999)),
                str(self.dice.randint(2, 12)),
                f"{self.dice.random() * 100:.1f}",
                f"{self.dice.randint(1000, 9999):,}",
            )
        )

    def money(self) -> str:
        """An amount."""
        number = self.pick(
            (
                f"{self.dice.random() * 900:.2f}",
                f"{self.dice.randint(1, 99)},{self.dice.randint(100, 999)}",
                str(self.dice.randint(5, 5000)),
            )
        )
        return self.pick(("${}", "£{}", "€{}", "{} EUR", "{} euros", "USD {}", "{} dollars", "{}€")).format(number)

    def ref(self) -> str:
        """A number of an order, case or account."""
        number = self.dice.randint(1000, 10**9)
        return self.pick(
            (
                str(number),
                f"#{number}",
                f"{self.acronym()[:2]}-{number}",
                f"{self.acronym()}{number}",
                f"{number // 1000}/{number % 1000}",
                f"{self.dice.getrandbits(40):x}",
            )
        )

    def phone(self) -> str:
        """A telephone number."""
        n = [self.dice.randint(100, 999) for _ in range(4)]
        return self.pick(
            (
                "+{0} {1} {2} {3}",
                "({0}) {1}-{2}{3}",
                "0{0} {1}{2}",
                "{0}-{1}-{2}{3}",
                "+44 20 {0}{1} {2}",
                "{0}.{1}.{2}{3}",
                "06 12 34 56 78",
            )
        ).format(*n)

    def email(self) -> str:
        """An e-mail address."""
        first, last = self.given().lower().replace(" ", ""), self.family().lower().replace(" ", "")
        return self.pick(
            ("{0}.{1}@{2}.com", "{0}@{2}.org", "{0}_{1}@mail.{2}.net", "info@{2}.co.uk", "{1}@example.com")
        ).format(first, last, self._coined().lower())

    def url(self) -> str:
        """An address on the web."""
        return self.pick(("www.{}.com", "https://{}.org/help", "http://www.{}.net", "{}.com", "{}.co.uk/login")).format(
            self._coined().lower()
        )

    def time(self) -> str:
        """A time of the day."""
        hour, minute = self.dice.randint(0, 23), self.dice.choice((0, 15, 30, 45, self.dice.randint(0, 59)))
        return self.pick(
            (
                f"{hour}:{minute:02d}",
                f"{hour % 12 + 1} pm",
                f"{hour % 12 + 1}am",
                f"{hour:02d}:{minute:02d}",
                f"{hour % 12 + 1}:{minute:02d} PM",
            )
        )

    def age(self) -> str:
        """An age in years."""
        return str(self.dice.randint(1, 99))

    def product(self) -> str:
        """A thing with a name."""
        return self.pick(
            (
                f"{self.pick(w.THINGS)} {self.dice.randint(1, 15)}",
                self.pick(w.THINGS),
                f"{self.pick(w.ADJECTIVES)} {self.pick(w.OBJECTS)}",
                self.pick(w.OBJECTS),
            )
        )

    def thing(self) -> str:
        """A word in capitals that names nobody."""
        return self.pick(w.THINGS)

    def job(self) -> str:
        """An occupation."""
        if self.dice.random() < 0.4:
            return self.pick(v.jobs())
        job = self.pick(w.JOBS)
        return job.capitalize() if self.dice.random() < 0.2 else job

    def symptom(self) -> str:
        """What a patient has."""
        return self.pick(w.SYMPTOMS)

    def object(self) -> str:
        """A thing that people buy."""
        return self.pick(w.OBJECTS)

    def iban(self) -> str:
        """Something like an account number."""
        return f"{self.acronym()[:2]}{self.dice.randint(10, 99)} " + " ".join(
            str(self.dice.randint(1000, 9999)) for _ in range(self.dice.randint(3, 5))
        )

    def card(self) -> str:
        """Something like a card number."""
        return self.pick((" ", "-", "")).join(str(self.dice.randint(1000, 9999)) for _ in range(4))
