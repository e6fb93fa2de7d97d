"""Recognisers are found through entry points, in a fixed order, and a broken one is no silent gap."""

from importlib.metadata import EntryPoint

import pytest

from trustplane.data.recognisers import registry
from trustplane.data.recognisers.email_address import EmailAddress
from trustplane.values.errors import Conflict, Unavailable

EMAIL = "trustplane.data.recognisers.email_address:EmailAddress"
PHONE = "trustplane.data.recognisers.phone_number:PhoneNumber"


def installed(monkeypatch: pytest.MonkeyPatch, *points: tuple[str, str]):
    found = [EntryPoint(name, value, registry.GROUP) for name, value in points]
    monkeypatch.setattr(registry, "entry_points", lambda *, group: found if group == registry.GROUP else [])
    return registry.installed_recognisers()


def test_they_come_in_the_order_of_their_names(monkeypatch):
    names = [each.descriptor.name for each in installed(monkeypatch, ("phone_number", PHONE), ("email_address", EMAIL))]
    assert names == ["email_address", "phone_number"]


def test_one_that_is_listed_twice_is_loaded_once(monkeypatch):
    (only,) = installed(monkeypatch, ("email_address", EMAIL), ("email_address", EMAIL))
    assert isinstance(only, EmailAddress)


def test_two_with_one_name_are_refused(monkeypatch):
    with pytest.raises(Conflict) as caught:
        installed(monkeypatch, ("email_address", EMAIL), ("email_address", PHONE))
    assert caught.value.code == "TP-DATA-018"


@pytest.mark.parametrize(
    "value", ["no.such.module:X", EMAIL + "Missing", "trustplane.data.recognisers.contract:ColumnSample"]
)
def test_one_that_cannot_be_loaded_is_refused_by_name(monkeypatch, value):
    with pytest.raises(Unavailable) as caught:
        installed(monkeypatch, ("broken", value))
    assert caught.value.code == "TP-DATA-017"
    assert "'broken'" in caught.value.what
