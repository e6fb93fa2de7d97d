"""A report as a document and as a page: what stands for what, links that lead somewhere, and words that stay words."""

import json
import re
from collections import Counter
from html.parser import HTMLParser
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.compliance.mappings import Framework
from trustplane.compliance.report import SIGNS, WORDS, document, encode, render
from trustplane.kernel.controls.contract import Control
from trustplane.values.findings import Finding, Severity, Status, Subject
from trustplane.values.outcomes import Passed

ABOUT = {
    "id": "report-1", "project": "credit", "created": "2026-01-01T00:00:00.000000Z", "author": "ada", "evaluation": "e-1",
    "origin": "example.org/log", "vkey": "example.org/log+00000000+AA", "size": 42,
}  # fmt: skip
FRAMEWORK = Framework(
    "law", "The Law", "1", {"1": "First", "2": "Second", "3": "Third"}, {"TP-A-01": ("1", "2"), "TP-B-01": ("2",)}
)
WORST = ("failed", "no-evidence", "waived", "passed", "not-applicable")


def control(name="TP-A-01", title="Title", question="Is it?", gate=False) -> Control:
    return Control(
        name, title, question, "data", "dataset", Severity.HIGH, lambda *_: [], lambda *_: None, lambda _: Passed(""), "do",
        gate=gate,
    )  # fmt: skip


def finding(status=Status.PASSED, name="TP-A-01", words="words", figures=None, evidence=()) -> Finding:
    subject = Subject("dataset", "d-1", words)
    return Finding(name, subject, Status(status), Severity.HIGH, words, words, figures or {}, tuple(evidence))


def report(findings, receipts=None, controls=None, about=ABOUT, frameworks=(FRAMEWORK,)):
    held = controls or (control("TP-A-01"), control("TP-B-01"))
    return document(about, held, findings, frameworks, receipts or {})


class Page(HTMLParser):
    """The elements of a page: tags with their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.ids, self.links, self.texts = Counter(), [], [], []
        self.attributes = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags[tag] += 1
        for name, value in attrs:
            self.attributes.add((tag, name))
            if name == "id":
                self.ids.append(value)
            if name == "href":
                self.links.append(value)

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


# --- what stands for what


@given(st.lists(st.sampled_from(Status), max_size=5), st.lists(st.sampled_from(Status), max_size=5))
@settings(deadline=None)
def test_a_control_and_a_clause_are_as_good_as_their_worst_finding(of_a, of_b):
    body = report([finding(s, "TP-A-01") for s in of_a] + [finding(s, "TP-B-01") for s in of_b])

    def worst(statuses):
        return min(map(str, statuses), key=WORST.index, default="no-evidence")

    assert {c["id"]: c["status"] for c in body["controls"]} == {"TP-A-01": worst(of_a), "TP-B-01": worst(of_b)}
    clauses = {c["id"]: (c["status"], c["controls"]) for c in body["frameworks"][0]["clauses"]}
    assert clauses == {
        "1": (worst(of_a), ["TP-A-01"]),
        "2": (worst(of_a + of_b), ["TP-A-01", "TP-B-01"]),
        "3": ("no-evidence", []),
    }
    assert body["counts"] == Counter(str(s) for s in (*of_a, *of_b))


def test_a_clause_never_looks_better_than_one_of_its_controls():
    for first, second in product(Status, repeat=2):
        body = report([finding(first, "TP-A-01"), finding(second, "TP-B-01")])
        shown = body["frameworks"][0]["clauses"][1]["status"]
        assert WORST.index(shown) == min(WORST.index(first), WORST.index(second))


def test_a_finding_keeps_all_that_was_found():
    body = report([finding("failed", figures={"rows": 3.0}, evidence=("e-1", "e-2"))], {"e-1": "r", "e-2": "r"})
    said = json.loads(encode(body))
    assert said["controls"][0]["findings"] == [
        {
            "control": "TP-A-01", "subject": {"kind": "dataset", "id": "d-1", "label": "words"}, "status": "failed",
            "severity": "high", "reason": "words", "remedy": "words", "figures": {"rows": 3.0}, "evidence": ["e-1", "e-2"],
        }
    ]  # fmt: skip
    assert said["receipts"] == {"e-1": "r", "e-2": "r"}
    assert {key: said[key] for key in ABOUT} == ABOUT
    assert said["schema"] == "trustplane-report/1"


def test_every_status_has_its_word_and_its_sign():
    assert set(WORDS) == set(SIGNS) == {str(s) for s in Status}
    assert len(set(WORDS.values())) == len(set(SIGNS.values())) == len(Status), "none is told by colour alone"


# --- the page


@pytest.mark.parametrize("status", list(Status))
def test_each_status_is_shown_as_what_it_is_and_as_nothing_else(status):
    page = Page(render(report([finding(status)], controls=[control()], frameworks=[])))
    for other in Status:
        shown = f"{SIGNS[other]} {WORDS[other]}" in page.text
        assert shown == (other is status), other


def test_a_failing_control_says_why_and_what_to_do():
    held = finding("failed", words="it leaks")
    page = Page(render(report([held])))
    assert "✗ fails it leaks: it leaks To do: it leaks" in page.text


def test_a_control_without_subjects_is_not_shown_as_passing():
    page = Page(render(report([], frameworks=[])))
    assert page.text.count("There is nothing of its kind in the project.") == 2
    assert "✓" not in page.text


def test_figures_are_readable():
    figures = {"whole": 30000.0, "share": 0.123456, "tiny": 1e-12, "word": "many", "yes": True}
    page = Page(render(report([finding(figures=figures)])))
    assert "whole 30,000; share 0.1235; tiny 1e-12; word many; yes True" in page.text


def test_every_link_leads_to_a_place_on_the_page_that_is_there_once():
    found = [finding(s, "TP-A-01", evidence=(f"e-{n}", "e-0")) for n, s in enumerate(Status)]
    receipts = {f"e-{n}": f"receipt {n}" for n in range(len(Status))}
    page = Page(render(report(found, receipts)))
    assert page.links
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert all(link.startswith("#") for link in page.links)
    assert len(set(page.ids)) == len(page.ids)
    for receipt in receipts.values():
        assert receipt in page.text


def test_a_receipt_comes_out_of_the_page_as_it_went_in():
    receipt = "c2sp.org/tlog-proof@v1\nextra AAA+/=\nindex 0\n\nexample.org/log\n1\nroot\n\n— example.org/log AAAA\n"
    page = Page(render(report([finding(evidence=("e",))], {"e": receipt})))
    assert receipt in page.texts


def test_the_page_asks_for_nothing_and_runs_nothing():
    html = render(report([finding(s) for s in Status], {"e": "r"}))
    page = Page(html)
    assert not set(page.tags) & {
        "script", "link", "img", "iframe", "object", "embed", "form", "base", "svg", "video", "audio", "source", "input",
    }  # fmt: skip
    assert {name for _, name in page.attributes} <= {
        "lang",
        "charset",
        "name",
        "content",
        "class",
        "id",
        "href",
        "aria-hidden",
    }
    assert not re.search(r"url\s*\(|@import|expression\(|https?:|//", html)


HOSTILE = [
    "<script>alert(1)</script>",
    "</pre></details><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title><style>*{display:none}</style>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "<!--",
    "&lt;b&gt;",
    "\u202e\u2066 reversed \x00\x1b[2J",
    "\ufeff\u2028\u2029",
]  # fmt: skip


def everywhere(words):
    """A report that says ``words`` wherever a word can come from outside."""
    about = {key: words if isinstance(value, str) else value for key, value in ABOUT.items()}
    law = Framework("law", words, words, {words: words}, {"TP-A-01": (words,)})
    held = finding("failed", words=words, figures={words: 1.0, "other": words}, evidence=(words,))
    return render(report([held], {words: words}, [control(title=words, question=words)], about, [law]))


PLAIN = Page(everywhere("plain"))


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_are_shown_as_words(words):
    page = Page(everywhere(words))
    assert (page.tags, page.attributes) == (PLAIN.tags, PLAIN.attributes)
    assert "".join(page.texts).count(words.replace("\x00", "\ufffd")) + "".join(page.texts).count(words) >= 10


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.text("<>\"'&/=!-{%}# ab", min_size=1))
@settings(deadline=None, max_examples=60)
def test_no_word_becomes_an_element_or_an_attribute(words):
    page = Page(everywhere(words))
    assert (page.tags, page.attributes) == (PLAIN.tags, PLAIN.attributes)


def test_a_report_that_lacks_a_part_is_no_page():
    body = report([])
    del body["frameworks"]
    with pytest.raises(Exception, match="frameworks"):
        render(body)
