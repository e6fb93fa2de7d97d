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
    Trait(
        "SEX",
        phrases(
            "sex, gender, geschlecht, sexe, sexo, genero, género, 性別, genre, sesso, genere, geslacht, sexo biológico, gênero, płeć, plec"
        ),
        most_distinct=30,
    ),
    Trait(
        "AGE",
        phrases("age, alter, edad, âge, 年齡, age in years, age au, eta, età, leeftijd, idade, wiek, lebensalter"),
        r"^[<>≥≤]?=? ?[0-9]{1,3}(?:\.[0-9]+)?(?: ?(?:[-–]|to) ?[0-9]{1,3}|\+)?$",
        400,
    ),
    Trait(
        "MARITAL_STATUS",
        phrases(
            "marriage, marital, married, civil, relationship, familienstand, 婚姻, marital relationship, spouse, état civil, etat civil, situation familiale, estado civil, stato civile, burgerlijke staat, stan cywilny"
        ),
        most_distinct=40,
    ),
    Trait(
        "EDUCATION",
        phrases(
            "education, degree, schooling, qualification, education num, bildung, 教育, bildungsabschluss, ausbildung, diplôme, niveau d etudes, educación, educacion, estudios, istruzione, titolo di studio, opleiding, escolaridade, educação, wykształcenie, wyksztalcenie"
        ),
        most_distinct=200,
    ),
    Trait(
        "POSTCODE",
        phrases(
            "postcode, post, postal, zip, zipcode, postalcode, plz, postleitzahl, 郵遞區號, code postal, cp, código postal, codigo postal, cap, codice postale, cep, kod pocztowy, postnummer, postnr, eircode, pincode, pin code"
        ),
        r"^[0-9A-Za-z][0-9A-Za-z -]{1,9}$",
    ),
    Trait(
        "PLACE",
        phrases(
            "city, town, municipality, county, district, region, province, state, ort, ville, ciudad, 城市, home city,"
            " birth place, place birth, birthplace, birth city, wohnort, stadt, gemeinde, commune, département, provincia, municipio, comune, città, citta, gemeente, woonplaats, stad, cidade, município, estado, miasto, gmina, województwo, lieu de naissance, lugar de nacimiento, luogo di nascita, geburtsort, geboorteplaats, local de nascimento, miejsce urodzenia"
        ),
        _WORDY,
    ),
    Trait(
        "COUNTRY",
        phrases(
            "country, native country, birth country, country of birth, nationality, citizenship, pays, 國籍, land, staatsangehörigkeit, nationalität, nationalité, país, pais, nacionalidad, paese, nazionalità, cittadinanza, nationaliteit, nacionalidade, kraj, obywatelstwo"
        ),
        _WORDY,
        400,
    ),
    Trait(
        "OCCUPATION",
        phrases(
            "occupation, job, job title, profession, workclass, work class, employer, beruf, 職業, arbeitgeber, métier, metier, employeur, ocupación, ocupacion, profesión, empleador, professione, lavoro, datore di lavoro, beroep, werkgever, profissão, profissao, empregador, zawód, zawod, pracodawca"
        ),
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
