"""The report of a protection: the figures of its event, as a page that stands alone."""

import re
from datetime import timedelta

import pytest

from trustplane.data.protection import protect
from trustplane.data.reports.protection import body, document, plots, render
from trustplane.data.tables import DatasetVersion
from trustplane.data.views import ViewSpec, create_view
from trustplane.values.errors import NotFound

RECIPE = 'quasi_identifiers = ["age"]\nk = 20\nkeep = ["amount"]\n'


@pytest.fixture
def report(plane, cast, spec, clients):
    steward = cast["data-steward"]
    view = ViewSpec("people", "clients", ("age", "amount"), spec.purposes[0], timedelta(days=1))
    create_view(plane, steward, "credit", view)
    done = protect(plane, steward, "credit", "people", RECIPE, "safer")
    with plane.database.read() as session:
        return document(plane, session, session.get_one(DatasetVersion, done.made.version_id))


def test_it_says_what_the_event_says(plane, report):
    event = plane.ledger.get(report["event"])
    assert event.payload["facts"]["protected"] == report["figures"]
    assert (report["dataset"], report["version"], report["source"]) == (
        "safer",
        1,
        {"dataset": "clients", "version": 1},
    )
    assert report["author"] == "some-data-steward"
    assert sum(report["figures"]["before"]["sizes"].values()) == 500
    assert not any(report["figures"]["after"]["sizes"][band] for band in ("1", "2 to 4", "5 to 9", "10 to 19"))


def test_the_page_stands_alone_and_holds_its_receipt(plane, report):
    page = render(report, plane.ledger.receipt(report["event"]))
    assert "c2sp.org/tlog-proof@v1" in page
    assert not re.search(r"<script|<link|<img|https?://|\son\w+=|\sstyle=", page)
    assert page.count("<svg") == 4
    assert "highest risk (journalist)" in page
    assert "lost of the quasi-identifiers" in page


def test_no_style_stands_in_what_the_console_shows(report):
    assert not re.search(r"<style|\sstyle=", body(report))


def test_names_are_escaped(report):
    odd = {**report, "dataset": "<b>x", "figures": {**report["figures"], "utility": {"distances": {"<i>&": 0.5}}}}
    page = render(odd)
    assert "<b>x" not in page
    assert "<i>" not in page
    assert "&lt;i&gt;&amp;" in page


def test_events_of_older_versions_have_fewer_plots(report):
    old = {**report["figures"]}
    for when in ("before", "after"):
        old[when] = {k: v for k, v in old[when].items() if k != "sizes"}
    for missing in ("utility", "attacks", "quasi_identifiers", "discernibility"):
        old.pop(missing)
    assert set(plots(old)) == {"risk"}
    assert render({**report, "figures": old}).count("<svg") == 1


def test_a_version_that_no_recipe_made_has_no_report(plane, clients):
    with plane.database.read() as session, pytest.raises(NotFound) as told:
        document(plane, session, session.get_one(DatasetVersion, clients.version_id))
    assert told.value.code == "TP-DATA-142"
