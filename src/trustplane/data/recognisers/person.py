"""Names of people: what the column's name says, checked against the form of its values."""

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.contract import ColumnSample, Descriptor, Judgement
from trustplane.data.recognisers.evidence import matching, share
from trustplane.data.recognisers.headers import is_about, phrases

_FORM = r"^[\pL\pM][\pL\pM'’`.\-·, ]*$"
_WORDS = r"^[^ ]+(?: [^ ]+){0,5}$"
_SURE = phrases(
    "first name, last name, full name, given name, given names, family name, middle name, maiden name, surname,"
    " forename, firstname, lastname, fullname, fname, lname, vorname, nachname, familienname, prenom, prénom, nom de"
    " famille, apellido, apellidos, nombre completo, cognome, beneficiary name, contact name, cardholder name,"
    " cardholder, contact person, legal name, voornaam, achternaam, primeiro nome, sobrenome, apelido, nome completo, imię,"
    " imie, nazwisko, imię i nazwisko, nome e cognome, nom prénom, nom complet, förnamn, efternamn, etunimi, sukunimi, fornavn,"
    " etternavn, efternavn, 姓名, 名字"
)
_LIKELY = phrases("name, names, nombre, nom, nome, naam, imiona, 名, person, beneficiary, applicant name")


class Person:
    """Columns of names of people.

    Without a fitting column name nothing is said: companies, places and products look the same.
    """

    descriptor = Descriptor("person", "PERSON", SensitivityClass.IDENTIFIER)

    def judge(self, column: ColumnSample) -> Judgement | None:
        sure = is_about(column.header, _SURE)
        if not sure and not is_about(column.header, _LIKELY):
            return None
        found = share(matching(column, _FORM) & matching(column, _WORDS))
        if found.value < 0.5:
            return None
        confidence = (0.95 if sure else 0.75) * found.value
        why = f"the column's name says that it holds names, and {found} have the form of a name"
        return Judgement(self.descriptor.entity, confidence, why)
