"""The search of running text written down plainly, text by text and sign by sign: what the search with tables must equal."""

import re

from trustplane.data.recognisers.codes import LONGEST, signs_of
from trustplane.data.recognisers.contract import TextRecogniser
from trustplane.data.recognisers.numbers import Number
from trustplane.data.searching.context import RIGHT_AFTER, said_near
from trustplane.data.spans import LEAST_SCORE, STRONG, Span, unescaped

TOKEN = re.compile(r"[0-9A-Za-z]+")


def found(recognisers, texts):
    """All spans of each text that score enough, in no order, overlapping ones too."""
    texts = unescaped(texts)
    spans = [set() for _ in texts]
    for each in recognisers:
        form = each.in_text() if isinstance(each, TextRecogniser) else None
        if form is not None:
            for at, text in enumerate(texts):
                spans[at].update(_of_form(each.descriptor.entity, form, text))
                if form.weak is not None:
                    spans[at].update(_of_weak(each.descriptor.entity, form.weak, text))
        if isinstance(each, Number):
            for at, text in enumerate(texts):
                spans[at].update(_of_number(each, text))
    return [{span for span in each if span.score >= LEAST_SCORE} for each in spans]


def _of_form(entity, form, text):
    for match in re.finditer(form.pattern, text):
        if form.valid is None or form.valid(match[0]):
            near = not form.context.isdisjoint(said_near(text, *match.span()))
            yield Span(*match.span(), entity, form.score + (1 - form.score) * 0.5 if near else form.score)


def _of_weak(entity, form, text):
    pattern, end = re.compile(form.pattern), 0
    for start in range(len(text)):
        if start >= end and not form.context.isdisjoint(said_near(text, start, start, RIGHT_AFTER)):
            match = pattern.match(text, start)
            if match is not None:
                end = match.end()
                if form.valid is None or form.valid(match[0]):
                    yield Span(*match.span(), entity, form.score)


def _of_number(number, text):
    lengths = {shape.length for shape in number.shapes}
    for start, end, code in codes(text):
        if len(code) in lengths and number.valid(signs_of([code]))[0]:
            yield Span(start, end, number.descriptor.entity, _score(number, text, start, end))


def _score(number, text, start, end):
    strong = not number.named and (number.rarity <= STRONG or (number.check is None and number.chance <= STRONG))
    said = said_near(text, start, end)
    if not number.names.isdisjoint(said):
        return 0.96 if strong else 0.9
    if not number.also.isdisjoint(said):
        return 0.85 if strong else 0.6
    return 0.7 if strong else 0.4


def codes(text):
    """Start, end and code of every run of up to nine tokens with one separator between two of them."""
    tokens = [(m.start(), m.end(), m[0]) for m in TOKEN.finditer(text) if _of_code(m[0])]
    for first, (start, _, _) in enumerate(tokens):
        if start and (text[start - 1].isalnum() or text[start - 1] in "_@"):
            continue
        code, last = "", start
        for begin, end, token in tokens[first : first + 9]:
            code += token.upper()
            if (last != start and (begin != last + 1 or text[last] not in " ./-")) or len(code) > LONGEST:
                break
            last = end
            followed = end < len(text) and (text[end].isalnum() or text[end] in "_@")
            if len(code) >= 7 and len(set(code)) > 1 and not followed:
                yield start, end, code


def _of_code(token):
    return len(token) <= LONGEST and (not token.isalpha() or (len(token) <= 6 and token.isupper()))
