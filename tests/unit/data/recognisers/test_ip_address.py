"""Internet addresses are recognised by their form."""

import pytest

from trustplane.data.recognisers.contract import ColumnSample
from trustplane.data.recognisers.ip_address import IpAddress


def judge(values, header="c"):
    return IpAddress().judge(ColumnSample.of(header, values))


@pytest.mark.parametrize(
    "value", ["192.0.2.1", "255.255.255.255", "2001:db8::1", "::1", "::ffff:192.0.2.1", "fe80::1%eth0"]
)
def test_addresses_are_recognised(value):
    assert judge([value]).confidence > 0.9


@pytest.mark.parametrize("header", ["c", "ip"])
@pytest.mark.parametrize(
    "value", ["", "256.1.1.1", "1.2.3", "1.2.3.4.5", "12:30:15", "1:2", "0", "1", "face", "cafe:babe", ":::"]
)
def test_other_values_are_not(value, header):
    assert judge([value], header) is None
