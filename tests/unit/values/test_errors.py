"""Every code that the product raises is in the catalogue, with what, why and what to do; and the catalogue holds no other."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from trustplane.values.errors import FAMILIES, BadInput, TrustplaneError, catalogue, missing_extra, nearest

SOURCE = Path(str(files("trustplane")))
CODE = re.compile(r"\bTP-[A-Z]+-[0-9]{3}\b")


def used():
    found = {}
    for path in SOURCE.rglob("*.py"):
        for code in CODE.findall(path.read_text("utf-8")):
            found.setdefault(code, path.name)
    return found


def test_every_code_in_the_source_is_in_the_catalogue():
    missing = {code: place for code, place in used().items() if code not in catalogue()}
    assert missing == {}


def test_every_code_in_the_catalogue_is_used():
    assert sorted(catalogue().keys() - used().keys()) == []


@pytest.mark.parametrize("entry", catalogue().values(), ids=list(catalogue()))
def test_each_entry_says_what_why_and_what_to_do(entry):
    assert CODE.fullmatch(entry.code)
    assert entry.title[0].isupper()
    assert not entry.title.endswith(".")
    assert entry.meaning.endswith(".")
    assert entry.fix
    assert entry.exit in {1, 2, 3, 4}
    assert 400 <= entry.status < 600


def test_the_exit_code_follows_from_who_is_at_fault():
    for entry in catalogue().values():
        if entry.status == 403:
            assert entry.exit == 4, entry.code
        if entry.status > 500:  # 500 itself is a fault of ours
            assert entry.exit == 3, entry.code


def test_a_problem_document_holds_what_rfc_9457_asks_for():
    error = BadInput("TP-DATA-003", "line 3 has 1 field", why="the header has 2", facts={"line": 3})
    body = error.problem()
    assert body["type"] == "urn:trustplane:error:TP-DATA-003"
    assert (body["title"], body["status"], body["detail"]) == (error.title, error.status, "line 3 has 1 field")
    assert (body["why"], body["fix"], body["facts"]) == ("the header has 2", error.fix, {"line": 3})
    assert str(error) == "TP-DATA-003 line 3 has 1 field: the header has 2"


def test_an_unknown_code_is_a_programming_error():
    with pytest.raises(KeyError):
        BadInput("TP-NONE-999", "what")


def test_every_family_is_an_error_of_the_product():
    assert all(issubclass(family, TrustplaneError) for family in FAMILIES)


def test_a_missing_library_names_its_extra():
    assert "pip install 'trustplane[ml]'" in missing_extra("sklearn", "ml", "training").fix


def test_hints_name_what_is_near():
    assert nearest("clints", ["clients", "loans"]) == "did you mean 'clients'?"
    assert nearest("zzz", ["clients"]) == ""
