"""Generated tables of twenty countries, with known truth: what is there is found, and what looks alike is not."""

import random
import uuid
from functools import cache

import numpy as np
import pytest

from trustplane.data.profile import propose
from trustplane.data.recognisers.contract import ColumnSample
from trustplane.data.recognisers.iban_code import LENGTHS, is_iban
from trustplane.data.recognisers.numbers import Number
from trustplane.data.recognisers.registry import installed_recognisers

INSTALLED = installed_recognisers()
NUMBERS = {each.descriptor.entity: each for each in INSTALLED if isinstance(each, Number)}
ROWS = 150

# Country: its numbers with a header each; given names; family names; street; telephone; headers of name, phone, address and birth.
LOCALES = {
    "US": ({"US_SSN": "ssn", "US_ITIN": "itin", "US_NPI": "npi", "US_MBI": "mbi", "ABA_ROUTING_NUMBER": "routing_number"},
           "Mary James Linda", "Smith Jones Brown", "{} Oak Street", "({a}) {b}-{d}", "full_name phone home_address date_of_birth"),
    "GB": ({"UK_NHS": "nhs_number", "UK_NINO": "ni_number"}, "Olivia Jack Amelia", "Taylor Davies Evans", "{} High Road", "0{a} {b} {d}", "surname mobile address dob"),
    "DE": ({"DE_TAX_ID": "steuer_id", "DE_ID_CARD": "ausweisnummer", "DE_SOCIAL_SECURITY": "rentenversicherungsnummer"},
           "Jürgen Anna Lukas", "Müller Schmidt Weiß", "Lindenstraße {}", "+49 {a} {d}{b}", "nachname telefon anschrift geburtsdatum"),
    "FR": ({"FR_NIR": "numero_secu"}, "Élodie Louis Chloé", "Dupont Lefèvre Moreau", "{} rue Victor", "+33 1 {c} {c} {c} {c}", "nom_de_famille téléphone adresse date_de_naissance"),
    "IT": ({"IT_FISCAL_CODE": "codice_fiscale"}, "Giulia Marco Sofia", "Rossi Bianchi D'Angelo", "via Roma, {}", "+39 06 {d}{d}", "cognome telefono indirizzo data_di_nascita"),
    "ES": ({"ES_NIF": "dni", "ES_NIE": "nie"}, "Lucía Hugo María", "García Núñez López", "calle Mayor {}", "+34 {a} {b} {b}", "apellidos móvil dirección fecha_nacimiento"),
    "NL": ({"NL_BSN": "bsn"}, "Sanne Daan Eva", "de Vries Jansen Bakker", "Kerkstraat {}", "+31 20 {b} {d}", "achternaam telefoon adres geboortedatum"),
    "PL": ({"PL_PESEL": "pesel"}, "Zofia Jakub Łucja", "Nowak Kowalska Wiśniewski", "ulica Długa {}", "+48 {a} {b} {b}", "nazwisko telefon adres data_urodzenia"),
    "BE": ({"BE_NATIONAL_NUMBER": "rijksregisternummer"}, "Emma Noah Louise", "Peeters Janssens Maes", "Nieuwstraat {}", "+32 2 {b} {c} {c}", "naam telefoonnummer adres geboortedatum"),
    "SE": ({"SE_PERSONNUMMER": "personnummer"}, "Åsa Erik Maja", "Andersson Öberg Lindgren", "Storgatan {}", "+46 8 {b} {b} {c}", "efternamn telefon adress födelsedatum"),
    "FI": ({"FI_PERSONAL_IDENTITY_CODE": "hetu"}, "Aino Väinö Ilona", "Korhonen Mäkinen Virtanen", "{} Main Street", "+358 9 {b} {d}", "sukunimi puhelin osoite syntymäaika"),
    "BR": ({"BR_CPF": "cpf", "BR_CNPJ": "cnpj"}, "João Ana Luís", "Silva Souza Gonçalves", "rua Augusta, {}", "+55 11 9{d}-{d}", "sobrenome celular endereço data_de_nascimento"),
    "IN": ({"IN_AADHAAR": "aadhaar_number", "IN_PAN": "pan"}, "Priya Arjun Meera", "Sharma Patel Iyer", "{} Gandhi Road", "+91 {a}{b} {d}0", "last_name phone_number address dob"),
    "AU": ({"AU_TFN": "tfn", "AU_MEDICARE": "medicare_number"}, "Isla Noah Mia", "Wilson Nguyen Walker", "{} George Street", "+61 2 {d} {d}", "given_name mobile street_address birth_date"),
    "SG": ({"SG_NRIC_FIN": "nric"}, "Wei Siti Ravi", "Tan Lim Abdullah", "{} Orchard Road", "+65 {d} {d}", "name contact_phone address dob"),
    "CA": ({"CA_SIN": "sin"}, "Liam Zoé Owen", "Tremblay Roy Campbell", "{} Maple Avenue", "{a}-{b}-{d}", "last_name telephone address birthdate"),
    "NO": ({"NO_FODSELSNUMMER": "fødselsnummer"}, "Ingrid Ola Kari", "Hansen Bjørnstad Olsen", "{} King Road", "+47 {c} {c} {c} {c}", "etternavn telefon adresse birth_date"),
    "TR": ({"TR_NATIONAL_ID": "tc_kimlik_no"}, "Ayşe Mehmet Zeynep", "Yılmaz Şahin Öztürk", "{} Park Avenue", "+90 {a} {b} {d}", "surname phone address dob"),
    "ZA": ({"ZA_ID_NUMBER": "sa_id"}, "Thabo Lerato Pieter", "Nkosi Botha Dlamini", "{} Long Street", "+27 21 {b} {d}", "surname cell address dob"),
    "KR": ({"KR_RRN": "주민등록번호"}, "민준 서연 지우", "김 이 박", "{} Sejong Road", "+82 2 {b} {d}", "full_name phone address dob"),
}  # fmt: skip
FORM_ONLY = {"US_SSN", "US_MBI", "IN_PAN", "US_ITIN", "UK_NINO"}
UNNAMED_FORMS = {"US_ITIN"}  # nine digits that begin with 9 say too little without a name


@cache
def valid(entity):
    if entity == "US_SSN":
        dice = random.Random(3)
        return [
            f"{dice.randrange(100, 600)}-{dice.randrange(10, 99)}-{dice.randrange(1000, 9999)}" for _ in range(ROWS)
        ]
    one, dice, found = NUMBERS[entity], np.random.default_rng(len(entity)), []
    while len(found) < ROWS:
        many = one.shapes[0].drawn(100_000, dice)
        found += [bytes(row).decode("ascii") for row in many[one.valid(many)][: ROWS - len(found)]]
    return found


@cache
def ibans(country):
    dice, found = random.Random(5), []
    country = country if country in LENGTHS else "DE"
    while len(found) < ROWS:
        bban = "".join(dice.choice("0123456789") for _ in range(LENGTHS[country] - 4))
        check = 98 - int("".join(str(int(sign, 36)) for sign in bban + country + "00")) % 97
        found.append(f"{country}{check:02d}{bban}")
    assert all(map(is_iban, found))
    return found


def cards(dice):
    def one():
        body = [4] + [dice.randrange(10) for _ in range(14)]
        total = sum(d if i % 2 else d * 2 - 9 * (d > 4) for i, d in enumerate(body))
        return "".join(map(str, body)) + str(-total % 10)

    return [one() for _ in range(ROWS)]


def table(country, named):
    """Columns of a table as (header, values, entity or empty); without names, the headers of what has a form say nothing."""
    numbers, given, family, street, phone, headers = LOCALES[country]
    dice = random.Random(f"{country}{named}")
    called = dict(zip(("name", "phone", "address", "born"), headers.split(), strict=True))
    people = [f"{dice.choice(given.split())} {dice.choice(family.split())}" for _ in range(ROWS)]
    made = [
        (called["name"], people, "PERSON"),
        (called["address"], [street.format(dice.randrange(1, 400)) for _ in range(ROWS)], "LOCATION"),
        (
            called["born"],
            [
                f"{dice.randrange(1930, 2006)}-{dice.randrange(1, 13):02d}-{dice.randrange(1, 29):02d}"
                for _ in range(ROWS)
            ],
            "DATE_OF_BIRTH",
        ),
    ]
    formed = [
        (header, valid(entity), entity) for entity, header in numbers.items() if named or entity not in UNNAMED_FORMS
    ]
    formed += [
        (called["phone"], [phone.format(a=dice.randrange(201, 900), b=dice.randrange(201, 900), c=dice.randrange(10, 99), d=dice.randrange(1000, 9999)) for _ in range(ROWS)], "PHONE_NUMBER"),
        ("email", [f"p{dice.randrange(10**6)}@mail.example" for _ in range(ROWS)], "EMAIL_ADDRESS"),
        ("iban", ibans(country), "IBAN_CODE"),
        ("card_number", cards(dice), "CREDIT_CARD"),
        ("ip_address", [f"10.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(256)}" for _ in range(ROWS)], "IP_ADDRESS"),
    ]  # fmt: skip
    return made + [
        (header if named else f"c{at}", values, entity) for at, (header, values, entity) in enumerate(formed)
    ]


def decoys(seed):
    dice = random.Random(seed)
    start, step = dice.randrange(10**9), dice.choice([1, 1, 2, 10])
    ean = [f"40{dice.randrange(10**10):010d}" for _ in range(ROWS)]
    return {
        "order_id": [str(10**9 + start + step * n) for n in range(ROWS)],
        "sku": [f"{dice.choice('ABCDEFGH')}{dice.choice('KLMNP')}-{dice.randrange(10**5):05d}" for _ in range(ROWS)],
        "order_number": [f"{dice.randrange(10**16):016d}" for _ in range(ROWS)],
        "reference": [f"{dice.randrange(10**9):09d}" for _ in range(ROWS)],
        "invoice": [f"2023{dice.randrange(1, 13):02d}{dice.randrange(1, 29):02d}{n:03d}" for n in range(ROWS)],
        "c8": [f"{dice.randrange(10**10):010d}" for _ in range(ROWS)],
        "c9": [f"{dice.randrange(10**11):011d}" for _ in range(ROWS)],
        "x13": [f"{dice.randrange(10**13):013d}" for _ in range(ROWS)],
        "c15": [f"35{dice.randrange(10**13):013d}" for _ in range(ROWS)],
        "batch": [f"{dice.choice('STFG')}{dice.randrange(10**7):07d}{dice.choice('ABCDEFGHIZ')}" for _ in range(ROWS)],
        "ean": [code + str(-sum(int(d) * (1 + 2 * (i % 2)) for i, d in enumerate(code)) % 10) for code in ean],
        "amount": [f"{dice.randrange(10**6) / 100:.2f}" for _ in range(ROWS)],
        "created_at": [str(1_600_000_000 + dice.randrange(10**8)) for _ in range(ROWS)],
        "stamp": [f"{dice.randrange(90, 100)}{dice.randrange(1, 13):02d}{dice.randrange(1, 29):02d}{dice.randrange(10**5):05d}" for _ in range(ROWS)],
        "hash": [f"{dice.getrandbits(128):032x}" for _ in range(ROWS)],
        "trace": [str(uuid.UUID(int=dice.getrandbits(128))) for _ in range(ROWS)],
        "score": [repr(dice.random()) for _ in range(ROWS)],
        "version": [f"{dice.randrange(9)}.{dice.randrange(30)}.{dice.randrange(99)}" for _ in range(ROWS)],
        "slot": [f"{dice.randrange(1, 29):02d}-{dice.randrange(1, 13):02d}-{dice.randrange(2010, 2024)}" for _ in range(ROWS)],
        "product": [f"{dice.choice(['Blue', 'Red'])} {dice.choice(['chair', 'table'])} {n}" for n in range(ROWS)],
    }  # fmt: skip


def entity_of(header, values, kind="string"):
    return propose(ColumnSample.of(header, values, kind), INSTALLED).entity


@cache
def outcomes():
    """Expected and found entity of every column of every table, with and without names that say so."""
    return [
        (entity, entity_of(header, values)) for country in LOCALES for named in (True, False) for header, values, entity in table(country, named)
    ]  # fmt: skip


def rates(pairs, universe):
    right = sum(expected == found for expected, found in pairs if expected in universe)
    there = sum(expected in universe for expected, _ in pairs)
    found = sum(got in universe for _, got in pairs)
    return right / found, right / there


def test_numbers_with_a_checksum_are_found_in_twenty_countries():
    checked = {e for e, each in NUMBERS.items() if each.descriptor.uses_checksum} | {"IBAN_CODE", "CREDIT_CARD"}
    precision, recall = rates(outcomes(), checked)
    wrong = [pair for pair in outcomes() if pair[0] != pair[1]]
    assert precision >= 0.98, wrong
    assert recall >= 0.98, wrong


def test_everything_is_found_in_twenty_countries():
    assert len(outcomes()) > 350
    precision, recall = rates(outcomes(), {e for pair in outcomes() for e in pair if e})
    wrong = [pair for pair in outcomes() if pair[0] != pair[1]]
    assert precision >= 0.93, wrong
    assert recall >= 0.93, wrong


@pytest.mark.parametrize("seed", range(5))
def test_decoys_are_never_flagged(seed):
    flagged = {header: entity for header, values in decoys(seed).items() if (entity := entity_of(header, values))}
    assert flagged == {}


@pytest.mark.parametrize("seed", range(3))
def test_decoys_that_were_read_as_integers_are_never_flagged(seed):
    whole = {
        h: [v.lstrip("0") for v in values] for h, values in decoys(seed).items() if all(v.isdigit() for v in values)
    }
    assert len(whole) > 8
    assert {h: e for h, values in whole.items() if (e := entity_of(h, values, "int64"))} == {}


def test_numbers_in_other_scripts_with_marks_and_separators_are_found():
    import pyarrow as pa

    from trustplane.data.sampling import text_of

    written = [
        "\u202b" + f"{n[:3]}\u00a0{n[3:6]}\u2011{n[6:]}".translate({48 + d: 0x660 + d for d in range(10)})
        for n in valid("UK_NHS")
    ]
    full = [n.translate({48 + d: 0xFF10 + d for d in range(10)}) for n in valid("UK_NHS")]
    for values in (written, full):
        assert entity_of("c", text_of(pa.array(values)).to_pylist()) == "UK_NHS"


def test_ten_thousand_columns_and_megabyte_cells_are_borne():
    some = ColumnSample.of("c", ["x" * 1_000_000, "1" * 1_000_000])
    assert propose(some, INSTALLED).entity == ""
    columns = [ColumnSample.of(f"c{n}", [str(n), str(n + 1)], "int64") for n in range(500)]
    assert {propose(column, INSTALLED).entity for column in columns} == {""}
