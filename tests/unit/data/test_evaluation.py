"""A corpus with known spans judges discovery; a find counts once, and only for its own entity."""

import json

import pytest

from trustplane.data.evaluation import evaluate, read_corpus, score
from trustplane.data.spans import Span
from trustplane.values.errors import BadInput

TEXT = "Write to jo@example.org or 10.0.0.1, not to bo@example.org."


def corpus(tmp_path, *records):
    path = tmp_path / "corpus.jsonl"
    path.write_text("\n".join(json.dumps(each) for each in records) + "\n\n", encoding="utf-8")
    return path


def span(text, part, entity):
    at = text.index(part)
    return {"start_position": at, "end_position": at + len(part), "entity_type": entity, "entity_value": part}


def rows(facts):
    return {row["entity"]: row for row in facts["entities"]}


def test_precision_recall_and_f1_are_counted(tmp_path):
    spans = [span(TEXT, "jo@example.org", "EMAIL"), span(TEXT, "Write", "VERB"), span(TEXT, "10.0.0.1", "EMAIL")]
    facts = evaluate(
        corpus(tmp_path, {"full_text": TEXT, "spans": spans, "template_id": 1}), {"EMAIL": "EMAIL_ADDRESS"}
    )
    found = rows(facts)
    assert found["EMAIL_ADDRESS"] == {
        "entity": "EMAIL_ADDRESS", "known": True, "spans": 2, "found": 2, "right": 1, "precision": 0.5, "recall": 0.5, "f1": 0.5,
    }  # fmt: skip
    assert (found["VERB"]["known"], found["VERB"]["recall"], found["VERB"]["precision"]) == (False, 0.0, None)
    assert (found["IP_ADDRESS"]["precision"], found["IP_ADDRESS"]["recall"]) == (0.0, None)
    assert (facts["overall"]["spans"], facts["overall"]["found"], facts["overall"]["right"]) == (3, 3, 1)
    assert facts["overall_known"]["spans"] == 2
    assert facts["texts"] == 1


def test_half_of_the_union_must_overlap(tmp_path):
    part = {"start_position": TEXT.index("jo@") + 8, "end_position": TEXT.index(" or"), "entity_type": "EMAIL_ADDRESS"}
    path = corpus(tmp_path, {"full_text": TEXT, "spans": [part]})
    assert rows(evaluate(path, {}))["EMAIL_ADDRESS"]["right"] == 0
    assert rows(evaluate(path, {}, 0.3))["EMAIL_ADDRESS"]["right"] == 1


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"spans": []}',
        '{"full_text": "jo@example.org", "spans": [{"start_position": 3, "end_position": 99, "entity_type": "X"}]}',
        '{"full_text": "jo@example.org", "spans": [{"start_position": 3, "end_position": 3, "entity_type": "X"}]}',
        '{"full_text": 1, "spans": []}',
    ],
)
def test_a_line_that_is_no_record_is_named_and_not_shown(tmp_path, line):
    path = tmp_path / "corpus.jsonl"
    path.write_text('{"full_text": "x", "spans": []}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        evaluate(path, {})
    assert (caught.value.code, "line 2" in caught.value.what, "example" in str(caught.value)) == (
        "TP-DATA-090",
        True,
        False,
    )


def test_an_overlap_out_of_range_is_refused(tmp_path):
    with pytest.raises(BadInput):
        evaluate(corpus(tmp_path, {"full_text": "x"}), {}, 0)


ADDRESS = "Send it to 12 High Street, 34567 Leeds / Apt. 3\\nUK or Paris or 1 Rue."


def test_spans_that_adjoin_are_one_where_that_is_asked_for(tmp_path):
    parts = [span(ADDRESS, part, kind) for part, kind in (("12 High Street", "STREET"), ("34567", "ZIP"), ("Leeds", "GPE"), ("Apt. 3", "STREET"), ("UK", "GPE"), ("Paris", "GPE"))]  # fmt: skip
    documents = list(
        read_corpus(
            corpus(tmp_path, {"full_text": ADDRESS, "spans": parts}),
            dict.fromkeys(("STREET", "ZIP", "GPE"), "LOCATION"),
        )
    )

    class Whole:
        def find(self, texts):
            return [(Span(11, ADDRESS.index(" or Paris"), "LOCATION", 0.9), Span(ADDRESS.index("Paris"), ADDRESS.index("Paris") + 5, "LOCATION", 0.8)) for _ in texts]  # fmt: skip

    apart = score(documents, Whole()).of("LOCATION")
    joined = score(documents, Whole(), join=["LOCATION"]).of("LOCATION")
    assert (apart.there, apart.right) == (6, 1)
    assert (joined.there, joined.found, joined.right) == (2, 2, 2)


def test_other_entities_stay_apart(tmp_path):
    text = "Ann, Bob"
    spans = [span(text, "Ann", "PERSON"), span(text, "Bob", "PERSON")]
    facts = evaluate(corpus(tmp_path, {"full_text": text, "spans": spans}), {}, join=["LOCATION"])
    assert facts["joined"] == ["LOCATION"]
    assert rows(facts)["PERSON"]["spans"] == 2
    assert (
        rows(evaluate(corpus(tmp_path, {"full_text": text, "spans": spans}), {}, join=["PERSON"]))["PERSON"]["spans"]
        == 1
    )
