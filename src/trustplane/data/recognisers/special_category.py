"""Special categories of personal data and convictions (GDPR art. 9(1) and 10), by the column's name.

Only the name can tell: a code such as ``1`` says nothing of religion by its form. A name that mentions one of these is
taken at its word whatever the values are, since to treat an innocent column as special costs little and the reverse
costs much.
"""

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.contract import ColumnSample, Descriptor, Judgement
from trustplane.data.recognisers.headers import mentions, phrases

CATEGORIES = (
    (
        "RELIGION",
        "religion or belief",
        phrases("religion, religious, faith, belief, denomination, confession, konfession, 宗教"),
    ),
    (
        "ETHNICITY",
        "racial or ethnic origin",
        phrases("race, ethnicity, ethnic, ethnic origin, ethnic group, ethnie, tribe, caste, 種族"),
    ),
    (
        "HEALTH",
        "health",
        phrases(
            "health, diagnosis, diagnoses, disease, illness, disability, disabled, medication, medical, symptom,"
            " symptoms, icd, icd 9, icd 10, blood type, blood group, hiv, pregnant, pregnancy, allergy, allergies,"
            " treatment, prescription, drug, smoker, smoking, bmi, krankheit, gesundheit, diagnose, santé, salud,"
            " mental, handicap, 疾病, 健康"
        ),
    ),
    (
        "POLITICS",
        "political opinions",
        phrases("political, politics, political party, party membership, political opinion, voted"),
    ),
    (
        "UNION_MEMBERSHIP",
        "trade-union membership",
        phrases("trade union, union member, union membership, labour union, labor union"),
    ),
    (
        "SEXUAL_ORIENTATION",
        "sex life or sexual orientation",
        phrases("sexual, sexual orientation, sexuality, orientation sexuelle, sex life, gay, lgbt, lgbtq"),
    ),
    ("GENETIC_DATA", "genetic data", phrases("genetic, genome, genotype, dna, mutation, allele")),
    (
        "BIOMETRIC_DATA",
        "biometric data",
        phrases("biometric, fingerprint, face embedding, iris scan, voiceprint, retina"),
    ),
    (
        "CONVICTION",
        "criminal convictions or offences",
        phrases("criminal, conviction, convictions, convicted, offence, offense, felony, arrest"),
    ),
)


class SpecialCategory:
    """Columns whose name mentions one of :data:`CATEGORIES`."""

    descriptor = Descriptor("special_category", "SPECIAL_CATEGORY", SensitivityClass.SPECIAL)

    def judge(self, column: ColumnSample) -> Judgement | None:
        for entity, words, names in CATEGORIES:
            if mentions(column.header, names):
                return Judgement(entity, 0.95, f"the column's name speaks of {words}")
        return None
