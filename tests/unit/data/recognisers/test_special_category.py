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


# English, German, French, Spanish, Italian, Dutch, Portuguese, Polish.
LANGUAGES = {
    "RELIGION": "religion konfession croyance religión religione geloofsovertuiging religião wyznanie",
    "ETHNICITY": "ethnic_group ethnische_herkunft origine_ethnique origen_étnico razza etnische_afkomst raça pochodzenie_etniczne",
    "HEALTH": "diagnosis krankheit maladie enfermedad malattia ziekte doença choroba",
    "POLITICS": "political_party parteimitglied parti_politique partido_político partito politieke_partij opinião_política partia",
    "UNION_MEMBERSHIP": "trade_union gewerkschaft syndicat afiliación_sindical sindacato vakbond filiação_sindical związek_zawodowy",
    "SEXUAL_ORIENTATION": "sexual_orientation sexuelle_orientierung vie_sexuelle orientación_sexual vita_sessuale seksuele_geaardheid orientação_sexual orientacja_seksualna",
    "GENETIC_DATA": "genotype genetische_daten test_génétique genoma mutacion_genetica genetische_gegevens mutação dane_genetyczne",
    "BIOMETRIC_DATA": "fingerprint fingerabdruck empreinte_digitale huella_dactilar impronta_digitale vingerafdruk impressão_digital odcisk_palca",
    "CONVICTION": "criminal_record vorstrafen casier_judiciaire antecedentes_penales precedenti_penali strafblad condenação karalność",
}


@pytest.mark.parametrize("entity", LANGUAGES)
def test_every_category_is_known_in_eight_languages(entity):
    headers = LANGUAGES[entity].split()
    assert len(headers) == 8
    assert {header: judge(header).entity for header in headers} == dict.fromkeys(headers, entity)


@pytest.mark.parametrize(
    "header", ["iris_width", "racecourse_id", "landline", "genre_of_film", "partial", "healthy_ratio_x"]
)
def test_names_that_only_resemble_are_not(header):
    assert judge(header) is None
