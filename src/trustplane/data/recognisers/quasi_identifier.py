"""Traits that single people out together: sex, age, family status, education, place, work.

By the column's name, with a look at the values.
"""

from dataclasses import dataclass

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.contract import ColumnSample, Descriptor, Judgement
from trustplane.data.recognisers.evidence import matching, share
from trustplane.data.recognisers.headers import FORM, WHOSE, Words, is_about, phrases


@dataclass(frozen=True, slots=True)
class Trait:
    """One trait: the names it goes by, the form of its values, and how many different ones there can be."""

    entity: str
    names: frozenset[Words]
    form: str = r"^.*$"
    most_distinct: int = 10_000


_WORDY = r"^[\pL\pM\pN][\pL\pM\pN .,'’()/&+_-]*$"

TRAITS = (
    Trait("SEX", phrases("sex, gender, geschlecht, sexe, sexo, genero, género, 性別"), most_distinct=30),
    Trait(
        "AGE",
        phrases("age, alter, edad, âge, 年齡, age in years"),
        r"^[<>≥≤]?=? ?[0-9]{1,3}(?:\.[0-9]+)?(?: ?(?:[-–]|to) ?[0-9]{1,3}|\+)?$",
        400,
    ),
    Trait(
        "MARITAL_STATUS",
        phrases("marriage, marital, married, civil, relationship, familienstand, 婚姻, marital relationship, spouse"),
        most_distinct=40,
    ),
    Trait(
        "EDUCATION",
        phrases("education, degree, schooling, qualification, education num, bildung, 教育"),
        most_distinct=200,
    ),
    Trait(
        "POSTCODE",
        phrases("postcode, post, postal, zip, zipcode, postalcode, plz, postleitzahl, 郵遞區號"),
        r"^[0-9A-Za-z][0-9A-Za-z -]{1,9}$",
    ),
    Trait(
        "PLACE",
        phrases(
            "city, town, municipality, county, district, region, province, state, ort, ville, ciudad, 城市, home city,"
            " birth place, place birth, birthplace, birth city"
        ),
        _WORDY,
    ),
    Trait(
        "COUNTRY",
        phrases("country, native country, birth country, country of birth, nationality, citizenship, pays, 國籍"),
        _WORDY,
        400,
    ),
    Trait(
        "OCCUPATION",
        phrases("occupation, job, job title, profession, workclass, work class, employer, beruf, 職業"),
        _WORDY,
    ),
    Trait(
        "DEPENDANTS", phrases("children, dependants, dependents, household size, family size"), r"^[0-9]{1,2}\+?$", 40
    ),
)


class QuasiIdentifier:
    """Columns that hold one of :data:`TRAITS`."""

    descriptor = Descriptor("quasi_identifier", "QUASI_IDENTIFIER", SensitivityClass.QUASI_IDENTIFIER)

    def judge(self, column: ColumnSample) -> Judgement | None:
        for trait in TRAITS:
            if is_about(column.header, trait.names, WHOSE | FORM) and 0 < column.distinct <= trait.most_distinct:
                found = share(matching(column, trait.form))
                if found.value >= 0.5:
                    trait_name = trait.entity.lower().replace("_", " ")
                    why = f"the column's name says that it holds the {trait_name}, and {found} fit"
                    return Judgement(trait.entity, 0.9 * found.value, why)
        return None
