"""E-mail addresses, by form."""

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.contract import ColumnSample, Descriptor, Judgement, Opening, TextForm
from trustplane.data.recognisers.evidence import confidence, matching, share
from trustplane.data.recognisers.headers import mentions, phrases

# Atoms of RFC 5322 section 3.2.3 and labels of RFC 1123 section 2.1, with letters beyond ASCII as in RFC 6531. Lengths
# are left open: counted repetitions of letters of all scripts make automata of megabytes.
_FORM = r"^[\pL\pN.!#$%&'*+/=?^_`{|}~-]+@(?:[\pL\pN](?:[\pL\pN-]*[\pL\pN])?\.)+\pL[\pL\pN-]*[\pL\pN]$"
_INSIDE = r"(?<![\w.+-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9][\w-]{0,62}\.[\w.-]{0,190}[^\W\d_]{2}(?![\w-])"
_NAMES = phrases("email, e mail, mail, email address, correo, courriel")


class EmailAddress:
    """Columns of e-mail addresses."""

    descriptor = Descriptor("email_address", "EMAIL_ADDRESS", SensitivityClass.IDENTIFIER)

    def in_text(self) -> TextForm:
        """The same within running text, with ASCII in front of the sign."""
        return TextForm(_INSIDE, 0.95, _NAMES, gate="@", opening=Opening((), "0-9A-Za-z_.+-", ("[@]",)))

    def judge(self, column: ColumnSample) -> Judgement | None:
        if not column.holds("@"):
            return None
        found = share(matching(column, _FORM))
        if not found.enough:
            return None
        sure = confidence(0.99, found, named=mentions(column.header, _NAMES))
        return Judgement(self.descriptor.entity, sure, f"{found} have the form of an e-mail address")
