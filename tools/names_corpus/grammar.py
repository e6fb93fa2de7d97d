"""Sentences of a small grammar of English, as templates: names stand wherever a noun may, and common words in capitals that name nobody.

They are for training alone. What is held out was written line by line.
"""

import random
from collections.abc import Callable, Sequence

from names_corpus import vocabulary as y


class Grammar:
    """Makes templates by the chance of ``dice``."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    def sentence(self) -> str:
        """A sentence, a line of talk, a list or a heading."""
        roll = self._dice.random()
        shapes: tuple[tuple[float, Callable[[], str]], ...] = (
            (0.54, self._statement), (0.64, self._question), (0.77, self._talk), (0.83, self._list), (0.89, self._heading), (0.93, self._headline), (1.01, self._order),
        )  # fmt: skip
        made = next(shape for limit, shape in shapes if roll < limit)()
        return made if made[0] == "{" else made[0].upper() + made[1:]

    def _one(self, many: Sequence[str]) -> str:
        return many[int(self._dice.random() * len(many))]

    def _maybe(self, share: float, text: str) -> str:
        return text if self._dice.random() < share else ""

    def common(self) -> str:
        """A noun that is no name, with its article or without."""
        noun = self._one(y.THINGS if self._dice.random() < 0.6 else y.PEOPLE)
        look = self._maybe(0.4, self._one(y.LOOKS) + " ")
        roll = self._dice.random()
        if roll < 0.3:
            bare = noun if roll < 0.1 else noun + ("es" if noun[-1] in "sxh" else "s")
            return self._raised(look + bare) + self._maybe(0.2, " and " + self._one(y.THINGS) + "s")
        article = self._one(
            (
                "the",
                "the",
                "a",
                "a",
                "my",
                "your",
                "his",
                "her",
                "our",
                "their",
                "this",
                "that",
                "some",
                "every",
                "no",
                "another",
                "each",
                "which",
                "whose",
                "many",
                "{num}",
            )
        )
        return f"{article} {look}{self._raised(noun)}"

    def _raised(self, noun: str) -> str:
        """A word now and then in capitals, which make no name of it."""
        roll = self._dice.random()
        return noun.capitalize() if roll < 0.06 else noun.upper() if roll < 0.08 else noun

    def work(self) -> str:
        """A title of a song, book or heading: capitals that name nobody."""
        words = [
            self._one(y.LOOKS if self._dice.random() < 0.4 else y.THINGS)
            for _ in range(self._dice.choice((1, 2, 2, 3)))
        ]
        joint = self._one((" ", " ", " and ", " of the ", " in the ", " & "))
        made = joint.join(word.capitalize() for word in words)
        made = self._maybe(0.3, "The ") + made
        return f'"{made}"' if self._dice.random() < 0.3 else made

    def person(self) -> str:
        """Somebody, by name."""
        return self._one(
            (
                "{person}", "{person}", "{person}", "{full}", "{first}", "{last}", "{first}", "{title} {last}", "{title} {full}", f"{self._one(y.PEOPLE)} {{person}}",
                f"my {self._one(y.PEOPLE)} {{first}}", f"the {self._one(y.LOOKS)} {{person}}", f"former {self._one(y.PEOPLE)} {{full}}", "{first} and {first}", "{last} and {last}", "{first} or {first}",
                "{last}, {last} and {last}", "{first} {first}", f"the {{nrp}} {self._one(y.PEOPLE)} {{full}}", f"ex-{self._one(y.PEOPLE)} {{last}}",
            )
        )  # fmt: skip

    def _somebody(self) -> str:
        roll = self._dice.random()
        if roll < 0.05:
            return self._one(
                (
                    "{country}",
                    "{city}",
                    "{place}",
                    "{company}",
                    "{org}",
                    f"the {{city}} {self._one(y.PEOPLE)}",
                    f"{{country}}'s {self._one(y.PEOPLE)}",
                    f"the {{nrp}} {self._one(y.PEOPLE)}",
                )
            )
        return (
            self.person()
            if roll < 0.68
            else self.common()
            if roll < 0.9
            else self._one(("I", "we", "they", "he", "she", "nobody", "everybody"))
        )

    def _something(self) -> str:
        roll = self._dice.random()
        if roll < 0.45:
            return self.common()
        if roll < 0.6:
            return self.person()
        return self._one(
            (
                self.work(), self.work(), "{org}", "{company}", f"{{first}}'s {self._one(y.THINGS)}", f"{{last}}'s {self._one(y.LOOKS)} {self._one(y.THINGS)}", f"the {{nrp}} {self._one(y.THINGS)}",
                f"{{nrp}} {self._one(y.THINGS)}", f"the {{company}} {self._one(y.THINGS)}", f"the {{city}} {self._one(y.THINGS)}", "the {nrp}", "{thing}", "{product}", f"a {{country}} {self._one(y.THINGS)}",
            )
        )  # fmt: skip

    def _where(self) -> str:
        return self._one(
            (
                "in {place}", "in {city}", "in {city}, {country}", "in {city}, {region}", "near {city}", "from {country}", "from {place}", "outside {city}", "at {address}", "at {street}", "on {road}", "on {street}",
                "at the corner of {road} and {road}", "at the corner of {street} and {road}", "between {road} and {road}", "on the north side of {road}", "at {org}", "at {hospital}", "for {company}", "with {company}",
                f"in the {self._one(y.THINGS)}", f"at the {self._one(y.LOOKS)} {self._one(y.THINGS)}", "around {place}", "across {country}", "to {city}", "through {place}",
                "back to {place}", "here from {place}", "originally from {place}", "all the way to {country}", "far from {city}", "home to {place}", "in {city} {zip}", "in {zip}", "on {road} in {city}", "off {road}", "opposite {street}",
            )
        )  # fmt: skip

    def _when(self) -> str:
        return self._one(
            ("on {date}", "in {year}", "since {year}", "until {date}", "in {month}", "on {day}", "by {date}", "before {date}", "from {year} to {year}", "after {day}", "for {num} years", "at {time}", "yesterday", "last week",
             "in the second year", "ten years ago", "between {date} and {date}", "in late {month}", "in the summer of {year}")
        )  # fmt: skip

    def _rest(self) -> str:
        parts = []
        if self._dice.random() < 0.4:
            parts.append(self._where())
        if self._dice.random() < 0.3:
            parts.append(self._when())
        if self._dice.random() < 0.2:
            parts.append(f"{self._one(y.ABOUT)} {self._somebody() if self._dice.random() < 0.5 else self._something()}")
        if self._dice.random() < 0.15:
            parts.append(self._one(y.ENDERS))
        self._dice.shuffle(parts)
        return "".join(" " + part for part in parts)

    def _clause(self) -> str:
        roll, dice = self._dice.random(), self._dice
        who = self._somebody()
        if roll < 0.3:
            made = f"{who} {self._one(y.DID)} {self._somebody()}"
        elif roll < 0.5:
            made = f"{who} {self._one(y.MADE)} {self._something()}"
        elif roll < 0.7:
            made = f"{who} {self._one(y.WENT)}{self._maybe(0.3, f' {self._one(y.ABOUT)} {self.common()}')}"
        elif roll < 0.82:
            made = f"{who} {self._one(y.STATES)}"
        elif roll < 0.9:
            made = f"{who} gave {self.person()} {self._something()}"
        elif roll < 0.95:
            made = f"{who} is {self._one(('a', 'the', 'our', 'not a'))} {self._one(('{job}', '{nrp}', self._one(y.PEOPLE), self._one(y.LOOKS) + ' ' + self._one(y.PEOPLE)))}"
        else:
            made = f"{self._one(('this', 'the', 'that', 'every'))} {self._one(y.THINGS)} {self._one(('by', 'of', 'about', 'with', 'from', 'for'))} {self.person()} is {self._one(y.LOOKS)}"
        aside = (
            f", {self._one(('a', 'the', 'our', 'his', 'her'))} {self._one(y.LOOKS)} {self._one(y.PEOPLE)},"
            if dice.random() < 0.04
            else ""
        )
        return made.replace(who, who + aside, 1) + self._rest()

    def _statement(self) -> str:
        opener = self._maybe(0.2, self._one(y.OPENERS) + " ")
        tail = self._one(
            (
                ".",
                ".",
                ".",
                ".",
                "!",
                "",
                "...",
                f", {self._one(('but', 'and', 'because', 'so', 'while'))} {self._clause()}.",
                f" ({self._one(y.ABOUT)} {self._something()}).",
            )
        )
        return f"{opener}{self._clause()}{tail}"

    def _question(self) -> str:
        verb = self._one(
            (
                "did",
                "does",
                "will",
                "can",
                "should",
                "has",
                "could you tell",
                "have you met",
                "what does",
                "when will",
                "where did",
                "why is",
                "who is",
                "what about",
                "is",
                "do you like",
                "do you remember",
                "can I speak to",
                "is this",
            )
        )
        return f"{verb} {self._somebody()}{self._maybe(0.5, ' ' + self._one(y.STATES).split()[-1])}{self._rest()}?"

    def _talk(self) -> str:
        line, said = self._one(y.LINES), self._one(y.SAID)
        return self._one(
            (
                f"{{first}}: {line}\n{{first}}: {self._one(y.LINES)}", f'{{first}}: "{line}"', f'{{first}} {said}: "{line}"', f'"{line}" {said} {self.person()}.', f'{{first}} {said} to {{first}}, "{line}"',
                f"{line}\n{{first}}: {self._one(y.LINES)}", f"{{person}}, {line[0].lower()}{line[1:]}", f"{line[:-1]}, {{first}}{line[-1]}", f"{{first}}, {self._clause()}.", f"- {line}\n- {{first}}, {self._one(y.LINES)}",
                "people call me {first}", f"everybody calls {self._one(('him', 'her', 'me', 'them'))} {{first}}.", f"User: {line}\nAgent: {self._clause()}.", f'{{last}}:"{line}"', f"@{{first}} {line}",
                f"the name of the {self._one(y.PEOPLE)} is {{person}}", f"what's {self._one(('your', 'his', 'her'))} {self._one(('name', 'surname'))}? {{person}}",
                f"what is the {self._one(('ZIP code', 'postal code', 'postcode'))}? {{zip}}", f"{self._one(('zip', 'ZIP', 'postcode', 'zip code', 'postal code', 'PLZ'))}{self._one((':', '', ' is', ' ='))} {{zip}}",
            )
        )  # fmt: skip

    def _list(self) -> str:
        kind = self._one(
            ("thing", "thing", "{first}", "{last}", "{city}", "{country}", "{company}", "{full}", "common")
        )
        named = [
            self._one(y.THINGS) + "s" if kind == "common" else self.work() if kind == "thing" else kind
            for _ in range(self._dice.randint(2, 5))
        ]
        lead = self._one(
            (
                "",
                "",
                f"{self._clause()}: ",
                f"{self._one(y.THINGS)}: ",
                "such as ",
                f"{self._one(y.LOOKS)} {self._one(y.THINGS)}s like ",
            )
        )
        return f"{lead}{', '.join(named[:-1])}{self._one((' and ', ', ', ' or ', ', and '))}{named[-1]}{self._one(('.', '', ', and more.', ' etc.'))}"

    def _heading(self) -> str:
        return self._one(
            (
                self.work(), f"{self.work()}: {self.work()}", f"{self._one(('Title', 'Part', 'Chapter', 'Article', 'Volume', 'Track', 'Rule', 'Act', 'Book'))} {self._one(('I', 'II', 'III', 'IV', 'V', 'VII', 'IX', 'X', '{num}'))} of the {self.work()}",
                f"{self.work()}, {{year}}", f"{self.work()} by {{person}}", f"the {self._one(y.LOOKS).capitalize()} {self._one(y.THINGS).capitalize()} Act", f"see {self.work()}", f"{self._one(y.PEOPLE).capitalize()} of the {self._one(('Year', 'Month', 'Week'))} {{year}}",
                "{full}\n{job}\n{city}", "{full}\n\n{city}\n{country}", "{full}\n{company}\n{street}\n{city}", f"{self.work()} ({{year}}), {self._one(('directed', 'written', 'produced', 'performed'))} by {{full}}",
                f"{{company}} {self._one(y.LOOKS)} {self._one(y.THINGS)} {self.work()}", "{full}\n{street}\n{city}\n{country} {zip}", "{company}\n{full}\n{address}",
            )
        )  # fmt: skip

    def _headline(self) -> str:
        """A clause with every word in capitals."""
        return " ".join(word if "{" in word else word.capitalize() for word in self._clause().split())

    def _order(self) -> str:
        verb = self._one(
            (
                "call",
                "tell",
                "ask",
                "show me",
                "find",
                "send",
                "forget",
                "follow",
                "book",
                "play",
                "remind",
                "meet",
                "bring",
                "please write to",
                "let's visit",
                "thanks to",
                "never trust",
                "look at",
            )
        )
        return f"{verb} {self._somebody() if self._dice.random() < 0.6 else self._something()}{self._rest()}{self._one(('.', '!', '', ', please.'))}"
