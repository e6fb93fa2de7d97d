"""Keys of the people in a table: a name such as ``customer_id``, over values that are nearly all different."""

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.contract import ColumnSample, Descriptor, Judgement
from trustplane.data.recognisers.headers import vocabulary, words

_WHOSE = vocabulary(
    "account applicant borrower citizen client customer cust employee holder insured member participant patient"
    " person policyholder pupil student subject user kunde client patientin"
)
_KEY = vocabulary("id ids identifier key no nr number num ref uid uuid guid code nummer")
_BARE = (("id",), ("uuid",), ("guid",), ("uid",), ("row", "id"))


class SubjectId:
    """Columns that number people.

    A key is a pseudonym and personal data as long as somebody holds the list (GDPR recital 26).
    """

    descriptor = Descriptor("subject_id", "SUBJECT_ID", SensitivityClass.IDENTIFIER)

    def judge(self, column: ColumnSample) -> Judgement | None:
        have = words(column.header)
        of_people = bool(_WHOSE & set(have)) and bool(_KEY & set(have))
        if (not of_people and have not in _BARE) or not column.sampled:
            return None
        if column.type in {"double", "float", "halffloat", "bool"}:
            return None
        variety = column.distinct / column.sampled
        if not of_people and (variety < 0.99 or column.distinct < 10):
            return None
        if of_people and column.distinct < min(10, column.sampled):
            return None
        whose = "the people in the table" if of_people else "the rows"
        why = f"the column's name says that it numbers {whose}, and {variety:.0%} of the sampled values are different"
        return Judgement(self.descriptor.entity, 0.92 if of_people else 0.6, why)
