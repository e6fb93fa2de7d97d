"""Special categories are recognised by the column's name alone."""

import pytest

from trustplane.data.recognisers.contract import ColumnSample
from trustplane.data.recognisers.special_category import CATEGORIES, SpecialCategory


def judge(header, values=("1", "2")):
    return SpecialCategory().judge(ColumnSample.of(header, values))


@pytest.mark.parametrize(
    ("header", "entity"),
    [
        ("religion", "RELIGION"),
        ("race", "ETHNICITY"),
        ("ethnic_group", "ETHNICITY"),
        ("primaryDiagnosis", "HEALTH"),
        ("blood_type", "HEALTH"),
        ("ICD-10", "HEALTH"),
        ("political_party", "POLITICS"),
        ("trade union", "UNION_MEMBERSHIP"),
        ("sexual_orientation", "SEXUAL_ORIENTATION"),
        ("dna_marker", "GENETIC_DATA"),
        ("fingerprint", "BIOMETRIC_DATA"),
        ("prior_convictions", "CONVICTION"),
    ],
)
def test_categories_are_recognised(header, entity):
    assert judge(header).entity == entity


@pytest.mark.parametrize(
    "header",
    ["sex", "racetrack", "trace", "embrace", "healthy_margin_x", "default payment", "credit_union", "party_size"],
)
def test_names_that_only_look_similar_are_not(header):
    assert judge(header) is None


def test_an_empty_column_is_still_special():
    assert judge("religion", ()) is not None


def test_every_category_of_article_9_and_10_is_there():
    expected = {
        "RELIGION",
        "ETHNICITY",
        "HEALTH",
        "POLITICS",
        "UNION_MEMBERSHIP",
        "SEXUAL_ORIENTATION",
        "GENETIC_DATA",
        "BIOMETRIC_DATA",
        "CONVICTION",
    }
    assert {entity for entity, _, _ in CATEGORIES} == expected
