"""The model of names finds people, places, companies and dates in texts and of names that it was not trained on."""

import itertools
import json
import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustplane.data.evaluation import read_corpus, score
from trustplane.data.recognisers.names.decode import _viterbi
from trustplane.data.recognisers.names.features import of_word
from trustplane.data.recognisers.names.model import Manifest, Model, packed, parsed, read, shipped
from trustplane.data.recognisers.names.reader import Names
from trustplane.data.recognisers.names.tokens import tokens
from trustplane.data.spans import SpanFinder
from trustplane.values.errors import Tampered

NAMES = Names()
HELD_OUT = Path(__file__).parents[3] / "vectors" / "names.jsonl"
FOLDER = Path(str(files("trustplane.data.recognisers.names")))


def found(text):
    return [(text[span.start : span.end], span.entity) for span in NAMES.read([text])[0]]


def test_held_out_texts_of_held_out_names():
    """Templates and values that were never in training; a find must cover half of its union with the span."""
    made = score(read_corpus(HELD_OUT, {}), SpanFinder([], [NAMES]))
    assert made.texts == 600
    assert made.overall().f1 >= 0.90
    floors = {"PERSON": 0.85, "LOCATION": 0.86, "ORGANIZATION": 0.83, "DATE_TIME": 0.96, "NRP": 0.9}
    assert all(made.of(entity).f1 >= least for entity, least in floors.items())


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("My name is Maria Fernandez and I live in Berlin.", [("Maria Fernandez", "PERSON"), ("Berlin", "LOCATION")]),
        ("On 12 March 2021 he left Siemens AG.", [("12 March 2021", "DATE_TIME"), ("Siemens AG", "ORGANIZATION")]),
        ("Ship it to 12 High Street, Leeds LS1 4AB, please.", [("12 High Street, Leeds LS1 4AB", "LOCATION")]),
        ("Dear Dr. Okafor, your results are here.", [("Okafor", "PERSON")]),
        ("Sehr geehrte Frau Schneider,", [("Schneider", "PERSON")]),
    ],
)  # fmt: skip
def test_names_are_found_whole(text, spans):
    assert found(text) == spans


@pytest.mark.parametrize(
    "text", ["", " ", "What are the terms of the card?", "THE PARCEL IS LATE", "Thanks a lot!", "...", "order 12345"]
)
def test_texts_without_names_hold_none(text):
    assert found(text) == []


def test_a_long_text_is_read_as_its_parts():
    """Wherever a text is cut, a name after half a million characters is found where it stands."""
    sentence = "My name is Maria Fernandez and I live in Berlin. "
    long = "and so on we go " * 35_000 + sentence
    spans = NAMES.read([long])[0]
    assert [(long[s.start : s.end], s.entity) for s in spans][-2:] == found(sentence)


def test_a_span_goes_on_over_the_end_of_a_chain():
    lead = "x " * 62
    assert found(lead + "Mr. Maria Fernandez came")[-1] == ("Maria Fernandez", "PERSON")


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(max_size=40), max_size=4))
def test_tokens_cover_what_is_no_space(texts):
    seen = tokens(texts)
    whole = "".join(texts)
    covered = {at for start, end in zip(seen.starts, seen.ends, strict=True) for at in range(start, end)}
    assert all(whole[at].isspace() or not whole[at].isprintable() for at in range(len(whole)) if at not in covered)
    assert all(end <= start for end, start in zip(seen.ends, seen.starts[1:], strict=False))
    limits = np.append(seen.offsets, len(whole))
    assert all(limits[t] <= s < e <= limits[t + 1] for t, s, e in zip(seen.text, seen.starts, seen.ends, strict=True))


def test_written_out_line_breaks_are_breaks():
    """As logs and JSON hold them; the next word is whole, and a break does not reach into another text."""
    texts = ["Dear Ann\\nBob\\t", "new\\", "n"]
    seen = tokens(texts)
    whole = "".join(texts)
    assert [whole[s:e] for s, e in zip(seen.starts, seen.ends, strict=True)] == [
        "Dear",
        "Ann",
        "\\n",
        "Bob",
        "\\t",
        "new",
        "\\",
        "n",
    ]


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_the_tags_are_the_best_of_all(steps, seed):
    """Against every sequence there is."""
    dice = np.random.default_rng(seed)
    tags = ("O", "B-A", "I-A")
    after, first = dice.normal(size=(3, 3)).astype(np.float32), dice.normal(size=3).astype(np.float32)
    model = Model(tags, 1, np.zeros((2, 3), np.int8), 1.0, after, first, {})
    weights = dice.normal(size=(2, steps, 3)).astype(np.float32)
    made = _viterbi(weights, np.ones((2, steps), bool), np.array([True, False]), model)

    def total(chain, way):
        start = first[way[0]] if chain == 0 else 0
        steps = sum(weights[chain, i, tag] for i, tag in enumerate(way))
        return start + steps + sum(after[one, other] for one, other in itertools.pairwise(way))

    for chain in (0, 1):
        best = max(total(chain, way) for way in itertools.product(range(3), repeat=steps))
        assert total(chain, tuple(made[chain])) == pytest.approx(best, abs=1e-5)


def test_no_tag_follows_that_may_not():
    model = shipped()
    for (i, one), (j, other) in itertools.product(enumerate(model.tags), repeat=2):
        if other[0] == "I" and one[2:] != other[2:]:
            assert model.after[i, j] < -1000


def test_packed_weights_are_those_that_are_read():
    table = np.zeros((8, 3), np.int8)
    table[[0, 5]] = [[1, 0, 0], [-3, 2, 127]]
    lists = {"x": np.sort(np.array([of_word("Ann"), of_word("Bob")], np.uint32))}
    model = Model(("O", "B-A", "I-A"), 3, table, 0.5, np.eye(3, dtype=np.float32), np.ones(3, np.float32), lists)
    again = parsed(packed(model), Manifest("w", "", model.tags, 3, 1))
    assert (again.table == table).all()
    assert (again.lists["x"] == lists["x"]).all()
    assert (again.scale, again.entities) == (0.5, ("A",))


@pytest.fixture
def copy(tmp_path):
    for name in ("manifest.json", "names.npz"):
        shutil.copy(FOLDER / name, tmp_path)
    return tmp_path


def test_a_copy_is_read(copy):
    assert read(copy).entities == shipped().entities


@pytest.mark.parametrize("harm", ["flip", "cut", "gone", "manifest"])
def test_changed_weights_are_refused(copy, harm):
    weights = copy / "names.npz"
    raw = weights.read_bytes()
    if harm == "flip":
        weights.write_bytes(raw[:1000] + bytes([raw[1000] ^ 1]) + raw[1001:])
    elif harm == "cut":
        weights.write_bytes(raw[:-1])
    elif harm == "gone":
        weights.unlink()
    else:
        (copy / "manifest.json").write_text(json.dumps({"weights": "names.npz"}))
    with pytest.raises(Tampered) as caught:
        read(copy)
    assert caught.value.code == "TP-DATA-083"


def test_the_card_tells_of_these_weights():
    card = (FOLDER / "MODEL_CARD.md").read_text("utf-8")
    assert json.loads((FOLDER / "manifest.json").read_text())["sha256"][:16] in card
