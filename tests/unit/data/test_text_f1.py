"""Generated sentences with known truth: every kind of number and form is found near a word of its context, and look-alikes are not."""

import random
from functools import cache

import numpy as np
from tests.unit.data.test_discovery import ibans

from trustplane.data.evaluation import score
from trustplane.data.recognisers.contract import TextRecogniser
from trustplane.data.recognisers.credit_card import is_card
from trustplane.data.recognisers.numbers import Number
from trustplane.data.recognisers.registry import installed_recognisers
from trustplane.data.recognisers.things.accounts import is_wallet
from trustplane.data.recognisers.tw_national_id import is_tw_national_id
from trustplane.data.spans import Span, SpanFinder

INSTALLED = installed_recognisers()
NUMBERS = {each.descriptor.entity: each for each in INSTALLED if isinstance(each, Number) and not each.named}
EACH, LOOK_ALIKES = 60, 600
DIGITS, CAPITALS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
WALLETS = ("1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "0x52908400098527886E0F7030069857D2E4169EE7")  # fmt: skip
# How each form is written: # a digit, @ a capital letter, ~ a small one or a digit.
WRITTEN = {
    "EMAIL_ADDRESS": ("e mail", "jo.~~~~@mail.example", "~~~~_~@post.~~~.org"),
    "PHONE_NUMBER": ("phone", "+44 20 #### ####", "(415) 555-####", "+49 30 #######", "0171 #######", "555-555-####", "+33 1 ## ## ## ##"),
    "US_SSN": ("ssn", "21#-4#-1###", "4## 1# 5###"),
    "IP_ADDRESS": ("ip", "10.1#.2#.1##", "2001:db8::##"),
    "MAC_ADDRESS": ("mac", "00:1B:##:11:3A:##", "00-1b-##-aa-##-##"),
    "URL": ("website", "https://www.example.com/~~~~", "www.~~~~.example/a", "~~~~.com"),
    "COORDINATES": ("gps", "52.#####, 13.#####", "-33.####,151.####"),
    "UK_POSTCODE": ("postcode", "SW#A #AA", "LS## #BD"),
    "UK_DRIVING_LICENCE": ("driving licence", "MORGA6570#4SM9IJ", "JONES7101#8JA9AB"),
    "SECRET": ("api key", "AKIA@@@@@@@@@@@@@@@@", "ghp_~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~"),
}  # fmt: skip


def filled(form, dice):
    small = DIGITS + CAPITALS.lower()
    kinds = {"#": DIGITS, "~": small, "@": CAPITALS if form.startswith("AKIA") else "@"}
    return "".join(dice.choice(kinds.get(sign, sign)) for sign in form)


def numbers(number, dice):
    generator, found = np.random.default_rng(7), []
    while len(found) < EACH:
        for shape in number.shapes:
            many = shape.drawn(20_000, generator)
            codes = [bytes(row).decode("ascii") for row in many[number.valid(many)][:EACH]]
            found += [code for code in codes if "+" not in code]  # in Finland a + says: born before 1900
    return dice.sample(found, EACH)


def kinds(dice):
    """Entity, words of its context, values."""
    for entity, number in NUMBERS.items():
        yield entity, sorted(" ".join(phrase) for phrase in number.names), numbers(number, dice)
    for entity, (name, *forms) in WRITTEN.items():
        yield entity, [name], [filled(forms[at % len(forms)], dice) for at in range(EACH)]
    cards = [each for _ in range(40 * EACH) if is_card(each := filled("4### #### #### ####", dice))]
    yield "CREDIT_CARD", ["card number"], cards[:EACH]
    yield "IBAN_CODE", ["iban"], [" ".join(i[at : at + 4] for at in range(0, len(i), 4)) for i in ibans("GB")[:EACH]]
    people = [each for _ in range(40 * EACH) if is_tw_national_id(each := filled("A1########", dice))]
    yield "TW_NATIONAL_ID", ["national id"], people[:EACH]
    assert all(map(is_wallet, WALLETS))
    yield "CRYPTO", ["wallet"], WALLETS


@cache
def corpus():
    dice, made = random.Random(11), []
    for entity, names, values in kinds(dice):
        for value in values:
            opening = dice.choice(["Please note that the", "On file: my", "As asked, here is the", "We changed the"])
            before = f"{opening} {dice.choice(names)}{dice.choice([' ', ': ', ' is '])}"
            after = dice.choice([".", ", thanks.", " and nothing else.", "; write again later."])
            made.append((before + value + after, [Span(len(before), len(before) + len(value), entity, 1.0)]))
    for _ in range(LOOK_ALIKES):
        order = "".join(dice.choice(DIGITS) for _ in range(dice.randrange(5, 17)))
        made.append((f"Order {order} of 2024-03-{dice.randrange(10, 29)} costs {filled('#,#0#.50', dice)}, lot {filled('A######', dice)}", []))  # fmt: skip
    return made


def test_every_structured_kind_is_in_the_corpus():
    forms = {e.descriptor.entity for e in INSTALLED if isinstance(e, TextRecogniser) and e.in_text() is not None}
    assert {span.entity for _, spans in corpus() for span in spans} == forms | set(NUMBERS)


def test_every_structured_kind_is_found_in_sentences():
    found = score(corpus(), SpanFinder(INSTALLED, readers=()))
    missed = {entity: round(tally.f1, 3) for entity, tally in found.by_entity.items() if tally.f1 < 0.97}
    assert missed == {}
    assert found.overall().f1 > 0.99
