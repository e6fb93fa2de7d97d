"""Internet addresses, version 4 and 6."""

from ipaddress import ip_address

import numpy as np

from trustplane.data.classes import SensitivityClass
from trustplane.data.recognisers.contract import ColumnSample, Descriptor, Judgement, Opening, TextForm
from trustplane.data.recognisers.evidence import Share, confidence, matching
from trustplane.data.recognisers.headers import mentions, phrases

_FORM = r"^(?:[0-9A-Fa-f:]{2,39}(?:%[0-9A-Za-z]{1,15})?|(?:[0-9A-Fa-f:]{2,30}:)?[0-9]{1,3}(?:\.[0-9]{1,3}){3})$"
_INSIDE = (
    r"(?<![\w.:-])(?:[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(?![\w-]|\.[0-9])"
    r"|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]{0,31}(?![\w:-]|\.[0-9]))"
)
_OPENING = Opening(
    ("#.#", "##.#", "###.#", *("[0-9A-Fa-f]" * before + ":[0-9A-Fa-f:]" for before in range(5))), "0-9A-Za-z_.:-"
)
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_FOURTH = rf"^{_BYTE}(?:\.{_BYTE}){{3}}$"
_NAMES = phrases("ip, ip address, ipaddress, ipv 4, ipv 6, remote addr, source address, src ip, dst ip")


class IpAddress:
    """Columns of internet addresses, which are personal data (Court of Justice of the EU, C-582/14, Breyer)."""

    descriptor = Descriptor("ip_address", "IP_ADDRESS", SensitivityClass.IDENTIFIER)

    def in_text(self) -> TextForm:
        """Addresses that stand by themselves."""
        return TextForm(_INSIDE, 0.9, _NAMES, _is_address, gate=".:", opening=_OPENING)

    def judge(self, column: ColumnSample) -> Judgement | None:
        if column.fractions or not column.holds(".:"):
            return None
        fourth = matching(column, _FOURTH)
        others = column.values.filter(matching(column, _FORM) & ~fourth).to_pylist()
        found = Share(int(np.count_nonzero(fourth)) + sum(map(_is_address, others)), column.distinct)
        if not found.enough:
            return None
        sure = confidence(0.95, found, named=mentions(column.header, _NAMES))
        return Judgement(self.descriptor.entity, sure, f"{found} are internet addresses")


def _is_address(text: str) -> bool:
    if text.count(":") < 2 and "." not in text:
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
