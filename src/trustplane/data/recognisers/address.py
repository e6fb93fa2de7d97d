"""Postal addresses: what the column's name says, and the form of street and house number in several languages."""

import pyarrow.compute as pc

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.contract import ColumnSample, Descriptor, Judgement
from trustplane.data.recognisers.evidence import confidence, matching, share
from trustplane.data.recognisers.headers import mentions, phrases

# Street and house number as English, French, Spanish and Italian, German, Dutch and Swedish, and Chinese write them.
_STREET = "|".join(
    (
        (
            r"(?i)^[0-9]{1,5}[a-z]?,? (?:[\pL.'’-]+ )+"
            r"(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|court|square|terrace|way)\b"
        ),
        r"^[0-9]{1,5}(?: ?bis| ?ter)?,? (?:rue|avenue|place|quai|boulevard|allée|chemin) \pL",
        r"^(?:calle|avenida|plaza|via|viale|piazza|corso|rua|ulica|ul\.) \pL[\pL .'’-]+,? [0-9]{1,5}",
        r"^[\pL .'’-]*(?:straße|strasse|str\.|weg|gasse|allee|platz|straat|laan|gatan|vägen) ?[0-9]{1,5}",
        r"(?:路|街|巷|段)[0-9一二三四五六七八九十之-]{1,12}[號号]",
    )
)
_LETTER = r"[A-Za-z]|[^\x00-\x7f]"
_NAMES = phrases(
    "address, street, home address, street address, postal address, addr, residence, strasse, straße, anschrift,"
    " adresse, wohnadresse, direccion, dirección, domicilio, indirizzo, adres, straat, endereço, endereco, morada,"
    " ulica, adres zamieszkania, adress, gatuadress, osoite, 地址, 住址"
)
_OTHER_ADDRESSES = phrases("ip, mac, email, mail, web, url, memory, wallet")


class Address:
    """Columns of postal addresses."""

    descriptor = Descriptor("address", "LOCATION", SensitivityClass.IDENTIFIER)

    def judge(self, column: ColumnSample) -> Judgement | None:
        named = mentions(column.header, _NAMES) and not mentions(column.header, _OTHER_ADDRESSES)
        if not column.letters or (column.fractions and not named):
            return None
        lengths = pc.utf8_length(column.values).to_numpy(zero_copy_only=False)
        long_enough = (lengths >= 6) & (lengths <= 300)
        if long_enough.any():
            long_enough &= matching(column, _LETTER)
        if not long_enough.any():
            return None
        found = share(matching(column, _STREET) & long_enough)
        if found.enough and (named or found.value >= 0.5):
            why = f"{found} have a street and a house number"
            return Judgement(self.descriptor.entity, confidence(0.85, found, named=named), why)
        wordy = share(long_enough)
        if named and wordy.value >= 0.5:
            why = f"the column's name says that it holds addresses, and {wordy} are long enough for one"
            return Judgement(self.descriptor.entity, 0.7 * wordy.value, why)
        return None
