"""Each kind of number agrees with an independent implementation, and with samples that its issuer published."""

from importlib import import_module

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.data.recognisers.codes import Codes, Shape, signs_of
from trustplane.data.recognisers.contract import ColumnSample
from trustplane.data.recognisers.evidence import Share, chance_bound, confidence
from trustplane.data.recognisers.headers import OTHER_THINGS, mentions, words
from trustplane.data.recognisers.numbers import (
    FORM_SHARE,
    LOST_ZEROS,
    NAMED_CHANCE,
    NAMED_SHARE,
    RARE,
    UNNAMED_CHANCE,
    UNNAMED_SHARE,
    Number,
)
from trustplane.data.recognisers.registry import installed_recognisers

NUMBERS = {each.descriptor.entity: each for each in installed_recognisers() if isinstance(each, Number)}
CHECKED = [entity for entity, each in NUMBERS.items() if each.check is not None]
STDNUM = {
    "ABA_ROUTING_NUMBER": "us.rtn", "AT_SVNR": "at.vnr", "AU_TFN": "au.tfn", "BE_NATIONAL_NUMBER": "be.nn", "BG_EGN": "bg.egn",
    "BR_CNPJ": "br.cnpj", "BR_CPF": "br.cpf", "CA_SIN": "ca.sin", "CH_AHV": "ch.ssn", "CL_RUT": "cl.rut", "CN_ID": "cn.ric",
    "CZ_RODNE_CISLO": "cz.rc", "DE_TAX_ID": "de.idnr", "EE_ISIKUKOOD": "ee.ik", "ES_NIE": "es.nie", "ES_NIF": "es.dni",
    "FI_PERSONAL_IDENTITY_CODE": "fi.hetu", "FR_NIR": "fr.nir", "GR_AMKA": "gr.amka", "HR_OIB": "hr.oib", "IE_PPS": "ie.pps",
    "IL_ID_NUMBER": "il.idnr", "IMEI": "imei", "IN_AADHAAR": "in_.aadhaar", "IN_PAN": "in_.pan", "IS_KENNITALA": "is_.kennitala",
    "IT_FISCAL_CODE": "it.codicefiscale", "JP_MY_NUMBER": "jp.in_", "KR_RRN": "kr.rrn", "MX_CURP": "mx.curp", "NL_BSN": "nl.bsn",
    "NO_FODSELSNUMMER": "no.fodselsnummer", "PL_PESEL": "pl.pesel", "PT_NIF": "pt.nif", "RO_CNP": "ro.cnp",
    "SE_PERSONNUMMER": "se.personnummer", "TH_TNIN": "th.pin", "TR_NATIONAL_ID": "tr.tckimlik", "UK_NHS": "gb.nhs",
    "US_ITIN": "us.itin", "ZA_ID_NUMBER": "za.idnr",
}  # fmt: skip
# Numbers of which we also take days, places or groups that are not in use, since registers change.
WIDER = {
    "BE_NATIONAL_NUMBER", "BG_EGN", "CN_ID", "CZ_RODNE_CISLO", "EE_ISIKUKOOD", "FI_PERSONAL_IDENTITY_CODE", "GR_AMKA", "IS_KENNITALA", "IT_FISCAL_CODE", "KR_RRN", "MX_CURP",
    "NO_FODSELSNUMMER", "PL_PESEL", "RO_CNP", "SE_PERSONNUMMER", "US_ITIN", "ZA_ID_NUMBER",
}  # fmt: skip
# Numbers of which we ask for a date, a prefix in use or a reporting body that the other implementation does not ask for.
NARROWER = {"ABA_ROUTING_NUMBER", "AT_SVNR", "BE_NATIONAL_NUMBER", "FR_NIR", "IMEI"}
# Samples from the issuers' own papers, for those that no other implementation covers too.
SAMPLES = {
    "AU_MEDICARE": ("2123456701", "2 1234 5670 1"),
    "AU_TFN": ("123456782",),
    "CH_AHV": ("756.9217.0769.85",),
    "BE_NATIONAL_NUMBER": ("85.07.30-033 28", "17 07 30 033 84"),
    "CN_ID": ("11010519491231002X",),
    "DE_HEALTH_INSURANCE": ("A123456780",),
    "DE_ID_CARD": ("T220001293",),
    "DE_PASSPORT": ("C01X00T478",),
    "DE_SOCIAL_SECURITY": ("15 070649 C 103",),
    "DK_CPR": ("070761-4285",),
    "HK_ID_CARD": ("G123456(A)".replace("(", "").replace(")", ""),),
    "IN_AADHAAR": ("2341 2341 2346",),
    "MEDICAL_LICENSE": ("AB1234563",),
    "SG_NRIC_FIN": ("S1234567D", "F1234567N", "G1234567X", "T1234567J"),
    "UK_NHS": ("943 476 5919",),
    "UK_NINO": ("QQ123456C".replace("QQ", "AB"),),
    "US_MBI": ("1EG4-TE5-MK73",),
    "US_NPI": ("1234567893",),
    "VIN": ("1M8GDM9AXKP042788", "1HGBH41JXMN109186"),
}


def valid(entity, *codes):
    return [bool(NUMBERS[entity].valid(signs_of([code]))[0]) for code in codes]


def texts(signs):
    return [bytes(row).decode("ascii") for row in signs]


def theirs(entity, code):
    module = import_module(f"stdnum.{STDNUM[entity]}")
    try:
        return module.is_valid(code)
    except KeyError:  # its table of Chinese counties has gaps
        return False


@pytest.mark.parametrize("entity", sorted(STDNUM))
@settings(deadline=None, max_examples=2, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_checks_agree_with_stdnum(entity, seed):
    one, dice = NUMBERS[entity], np.random.default_rng(seed)
    shape = one.shapes[seed % len(one.shapes)]
    many = shape.drawn(30_000, dice)
    rows = np.concatenate([many[one.valid(many)][:50], many[:1500]])
    changed = rows[:50].copy()
    changed[:, -2] = np.where(changed[:, -2] == ord("7"), ord("3"), ord("7"))
    rows = np.concatenate([rows, changed[shape.fits(changed)]])
    for code, mine in zip(texts(rows), one.valid(rows).tolist(), strict=True):
        other = theirs(entity, code)
        assert mine or not other or entity in NARROWER, f"{code} is one for stdnum alone"
        assert other or not mine or entity in WIDER, f"{code} is one for us alone"


@pytest.mark.parametrize("entity", sorted(CHECKED))
def test_the_declared_chance_is_an_upper_bound(entity):
    """Of random codes of the form, no more than the declared share pass."""
    one, dice = NUMBERS[entity], np.random.default_rng(97)
    passed = [one.check(shape.drawn(20_000, dice)).mean() for shape in one.shapes]
    assert max(passed) <= one.chance + 0.01
    assert max(passed) > 0 or entity == "VIN"


@pytest.mark.parametrize(("entity", "written"), [(e, w) for e, all_ in SAMPLES.items() for w in all_])
def test_published_samples_pass_and_changed_ones_do_not(entity, written):
    code = "".join(sign for sign in written if sign.isalnum())
    assert valid(entity, code) == [True]
    if (
        NUMBERS[entity].chance <= 0.11
        and NUMBERS[entity].descriptor.uses_checksum
        and NUMBERS[entity].check is not None
    ):
        at = 2 if code[2].isdigit() else 5
        others = [code[:at] + digit + code[at + 1 :] for digit in "0123456789" if digit != code[at]]
        assert sum(valid(entity, *others)) <= 2


def test_every_kind_is_compared_with_something():
    assert set(CHECKED) == set(CHECKED) & (set(STDNUM) | set(SAMPLES))


def numbers_of(entity, count, seed=1):
    one, dice, found = NUMBERS[entity], np.random.default_rng(seed), []
    while len(found) < count:
        many = one.shapes[0].drawn(200_000, dice)
        found += texts(many[one.valid(many)][: count - len(found)])
    return found


def judge(entity, values, header="c", kind="string"):
    return NUMBERS[entity].judge(ColumnSample.of(header, values, kind))


def test_a_column_that_passes_the_check_is_recognised_under_any_name():
    assert judge("DE_TAX_ID", numbers_of("DE_TAX_ID", 200)).confidence > 0.95
    assert judge("BR_CPF", numbers_of("BR_CPF", 50), "x7").confidence > 0.95


@pytest.mark.parametrize("write", ["{}.{}.{}-{}", "{} {} {} {}", "{}-{}-{}/{}", "{}{}{}{}"])
def test_separators_do_not_matter(write):
    written = [write.format(n[:3], n[3:6], n[6:9], n[9:]) for n in numbers_of("BR_CPF", 50)]
    assert judge("BR_CPF", written) is not None


def test_an_integer_that_lost_its_zeros_is_the_same_number():
    short = [n.lstrip("0") for n in numbers_of("BR_CPF", 3000) if n.startswith("0")]
    assert len(short) > 100
    assert judge("BR_CPF", short + numbers_of("BR_CPF", 20, seed=2), kind="int64") is not None
    assert judge("BR_CPF", short) is None


def test_random_numbers_of_the_same_form_are_not_recognised_under_any_name():
    dice = np.random.default_rng(5)
    for entity in CHECKED:
        one = NUMBERS[entity]
        if one.lenient or one.chance > 0.3:
            continue
        for header in ("c", " ".join(min(one.names))):
            assert judge(entity, texts(one.shapes[0].drawn(3000, dice)), header) is None, entity


def test_a_column_that_numbers_things_is_not_recognised_by_one_check_digit():
    """A check digit is no privilege of people: an order number may pass Luhn as well."""
    numbers = numbers_of("CA_SIN", 200)
    assert judge("CA_SIN", numbers) is not None
    assert judge("CA_SIN", numbers, "order_number") is None
    assert judge("CA_SIN", numbers, "sin_of_order_owner") is not None


def test_a_number_that_need_not_pass_is_taken_by_form_under_its_own_name_alone():
    since_2020 = [f"{n:013d}" for n in range(9901014000000, 9901014000400)]
    assert judge("KR_RRN", since_2020, "rrn").entity == "KR_RRN"
    assert judge("KR_RRN", since_2020, "national_id") is None


def test_a_few_values_are_no_evidence_under_a_name_that_says_nothing():
    assert judge("UK_NHS", numbers_of("UK_NHS", 3)) is None
    assert judge("UK_NHS", numbers_of("UK_NHS", 3), "nhs number") is not None


def judged_plainly(number, column):
    """Entity and confidence after a look at every code, none left out; nothing where the number says nothing."""
    called = mentions(column.header, number.names)
    said = called or mentions(column.header, number.also)
    codes, trials, hits = Codes(column.values, fractions=column.fractions), 0, 0
    for length in {shape.length for shape in number.shapes}:
        shapes = [shape for shape in number.shapes if shape.length == length]
        groups, numeric = [codes.of_length(length)], all(shape.numeric for shape in shapes)
        if (column.whole_numbers or said) and numeric and (codes.of_length(length) <= ord("9")).all(axis=1).any():
            groups.append(codes.padded(length, LOST_ZEROS).signs)
        for signs in groups:
            trials += int(np.logical_or.reduce([shape.fits(signs) for shape in shapes]).sum())
            hits += int(number.valid(signs).sum())
    found, formed = Share(hits, column.distinct), Share(trials, column.distinct)
    share, chance = (NAMED_SHARE, NAMED_CHANCE) if said else (UNNAMED_SHARE, UNNAMED_CHANCE)
    told = found.value >= UNNAMED_SHARE and said
    if not number.named:
        told = found.value >= share and chance_bound(hits, trials, number.chance) <= chance
        told = told and (said or number.rarity <= RARE or not OTHER_THINGS.intersection(words(column.header)))
    if told:
        return number.descriptor.entity, confidence(number._specificity, found, named=said)
    if called and number.lenient and formed.value >= FORM_SHARE:
        return number.descriptor.entity, confidence(0.5, formed, named=True)
    return None


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_what_is_left_out_early_does_not_change_the_verdict(data):
    """Columns of which some values are numbers of one kind, some of another, and some none."""
    number, other = (data.draw(st.sampled_from(sorted(NUMBERS))) for _ in range(2))
    dice = np.random.default_rng(data.draw(st.integers(0, 1000)))
    values = []
    for entity, right in ((number, True), (number, False), (other, True)):
        shape = dice.choice(NUMBERS[entity].shapes)
        drawn = shape.drawn(data.draw(st.sampled_from([0, 1, 5, 40, 300])) * (20 if right else 1), dice)
        values += texts(drawn[NUMBERS[entity].valid(drawn)][:300] if right else drawn)
    values += data.draw(st.lists(st.text("0123456789ABX- ./", max_size=12), max_size=40))
    kind = data.draw(st.sampled_from(["string", "int64", "double"]))
    header = data.draw(
        st.sampled_from(["c", "order number", "tax id", *(" ".join(name) for name in sorted(NUMBERS[number].names))])
    )
    column = ColumnSample.of(header, [value.lstrip("0") if kind == "int64" else value for value in values], kind)
    for entity in {number, other}:
        judgement = NUMBERS[entity].judge(column)
        plain = judged_plainly(NUMBERS[entity], column)
        assert (judgement and (judgement.entity, judgement.confidence)) == plain


def test_a_crowd_says_at_most_how_many_have_a_form():
    crowd = Codes(pa.array(["12A", "1BA", "C2A", "123", "12"])).crowd(3)
    assert [Shape(text).most(crowd) for text in ("##@", "#@@", "###", "[4-9]##")] == [3, 1, 1, 0]
    assert texts(crowd.digits.signs) == ["123"]
    assert [int(Shape(text).fits_of(crowd).sum()) for text in ("##@", "***", "[4-9]##")] == [1, 4, 0]
