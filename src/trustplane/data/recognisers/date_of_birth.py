"""Dates of birth: a column's name that speaks of birth, over values that are dates or years."""

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.contract import ColumnSample, Descriptor, Judgement
from trustplane.data.recognisers.evidence import matching, share
from trustplane.data.recognisers.headers import mentions, phrases

_DATE = (
    r"^(?:(?:18|19|20)[0-9]{2}(?:[-/.]?[0-9]{1,2}[-/.]?[0-9]{1,2})?(?:[T ][0-9:.]+Z?)?"
    r"|[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ](?:[0-9]{2}|(?:18|19|20)[0-9]{2})"
    r"|[0-9]{1,2}[ -]\pL+[ -](?:18|19|20)[0-9]{2}|\pL+ [0-9]{1,2},? (?:18|19|20)[0-9]{2})$"
)
_NAMES = phrases(
    "dob, birth, birthday, birthdate, birthyear, yob, born, geburtsdatum, geburtstag, geboren, naissance, date de naissance, né le, nacimiento, fecha de nacimiento,"
    " nascita, data di nascita, geboortedatum, nascimento, data de nascimento, urodzenia, data urodzenia, födelsedatum, syntymäaika, 生日, 出生日期"
)
_NOT_A_DATE = phrases("place of birth, birth place, birthplace, birth country, birth city, birth weight")


class DateOfBirth:
    """Columns of dates or years of birth.

    With sex and postcode a full date singles out most people (Sweeney 2000), so quasi-identifier.
    """

    descriptor = Descriptor("date_of_birth", "DATE_OF_BIRTH", SensitivityClass.QUASI_IDENTIFIER)

    def judge(self, column: ColumnSample) -> Judgement | None:
        if not mentions(column.header, _NAMES) or mentions(column.header, _NOT_A_DATE):
            return None
        found = share(matching(column, _DATE))
        if found.value < 0.5:
            return None
        why = f"the column's name speaks of birth, and {found} are dates or years"
        return Judgement(self.descriptor.entity, 0.97 * found.value, why)
