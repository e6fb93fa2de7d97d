"""Chat templates: texts in Jinja that readers of a model run, judged by what they could call.

Readers without Jinja's sandbox run them as code (CVE-2024-34359: from any object through ``__class__`` and ``__globals__`` to a
function that starts programs), and sandboxes have had holes. So a template may do what templates of models do and no more: it can call
the methods and functions that are listed here and macros of its own, use the filters that are listed, and name nothing that leads
into the interpreter. What it calls, it must not have made itself: a name that is called is bound nowhere in it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

LONGEST = 64 << 10
TAGS = frozenset(
    "if elif else endif for endfor set endset macro endmacro break continue generation endgeneration".split()  # noqa: SIM905 - words
)
FUNCTIONS = frozenset({"range", "namespace", "raise_exception", "strftime_now"})
METHODS = frozenset(
    "strip lstrip rstrip split rsplit splitlines startswith endswith removeprefix removesuffix upper lower title capitalize replace find rfind "  # noqa: SIM905 - words
    "items keys values get index count join append extend insert pop isdigit isalpha isalnum isspace isupper islower isnumeric".split()
)
FILTERS = frozenset(
    "trim length count tojson upper lower title capitalize replace join list first last items dictsort default d string int float abs round "  # noqa: SIM905 - words
    "indent safe escape e reverse sort unique sum min max batch slice selectattr rejectattr select reject map wordcount".split()
)
_BY_WORD = frozenset({"map", "select", "reject", "selectattr", "rejectattr"})
"""Filters whose first argument is a word: of another filter, of a test, of an attribute."""
_INSIDE = re.compile(
    r"_.*|.*__.*|mro|(?:gi|cr|ag)_(?:frame|code|running|await|yieldfrom|suspended|origin)|f_(?:back|builtins|code|globals|lasti|lineno|locals|trace\w*)"
    r"|tb_(?:frame|next|lasti|lineno)|co_\w+|func_\w+|im_(?:class|func|self)"
)
"""Names of Python's own attributes."""
_NEVER = frozenset({"self", "caller", "lipsum", "cycler", "joiner"})
_OPERATORS = frozenset({"and", "or", "not", "in", "is", "if", "else"})
_END = ("", "")
_COMMENT = re.compile(r"(?s)\{#.*?#\}")
_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<close>[-+]?%\}|-?\}\})|(?P<number>\d{1,6}(?:\.\d{1,6})?(?!\w))|(?P<name>[A-Za-z_]\w*)"""
    r"""|(?P<text>'(?:[^'\\]|\\[nrt\\'"])*'|"(?:[^"\\]|\\[nrt\\'"])*")|(?P<sign>//|==|!=|<=|>=|\*(?!\*)|[-+/%~<>=.:|,()\[\]{}])""",
    re.ASCII,
)


class _Unsafe(Exception):
    """Why a template does not pass."""


Token = tuple[str, str]


@dataclass(slots=True)
class _Seen:
    """What the code of a template binds and calls: variables and functions, attributes and methods; what it makes each variable from, and the
    variables and attributes whose value it looks up in brackets."""

    variables: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    macros: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)
    made: list[tuple[set[str], list[Token]]] = field(default_factory=list)
    looked_up: set[str] = field(default_factory=set)
    parameters: dict[str, list[str]] = field(default_factory=dict)
    calls: list[tuple[str, list[list[Token]]]] = field(default_factory=list)


def unsafe(template: str) -> str:
    """Why a template does not pass; empty where it does."""
    if len(template) > LONGEST:
        return f"is longer than {LONGEST >> 10} KiB"
    seen = _Seen()
    try:
        for opening, tokens in _blocks(template):
            _check(opening, tokens, seen)
    except _Unsafe as why:
        return str(why)
    if made := seen.functions & seen.variables | seen.methods & seen.attributes:
        return f"calls what it has made itself, {min(made)!r}"
    if texts := seen.looked_up & _texts(seen):
        return f"looks up what it has made itself, {min(texts)[:80]!r}"
    if strange := seen.functions - FUNCTIONS - seen.macros:
        return f"calls {min(strange)[:80]!r}, which no chat needs"
    return ""


def _texts(seen: _Seen) -> set[str]:
    """The names of what may be a text that the template has put together: attributes that it binds, and what is made from texts or from any
    of these, also by being given to a macro."""
    made = list(seen.made)
    for name, arguments in seen.calls:
        for place, source in enumerate(arguments):
            named = source[0][1] if len(source) > 1 and source[1] == ("sign", "=") else ""
            takes = [named] if named else seen.parameters.get(name, [])[place : place + 1]
            made.append((set(takes), source))
    found, before = set(seen.attributes), -1
    while len(found) > before:
        before = len(found)
        for names, source in made:
            if any(kind == "text" or text == "~" or (kind == "name" and text in found) for kind, text in source):
                found |= names
    return found


def _split(tokens: list[Token]) -> list[list[Token]]:
    """What stands between the commas up to the bracket that closes."""
    depth = 0
    parts: list[list[Token]] = [[]]
    for kind, text in tokens:
        if kind == "sign" and text in {")", "]", "}"} and not depth:
            break
        depth += (text in {"(", "[", "{"}) - (text in {")", "]", "}"}) if kind == "sign" else 0
        if kind == "sign" and text == "," and not depth:
            parts.append([])
        else:
            parts[-1].append((kind, text))
    return parts


def _source(tag: str, tokens: list[Token]) -> list[Token]:
    """What a statement makes its variables from: nothing, where it counts."""
    texts = [text for kind, text in tokens if kind == "name"]
    if tag == "for" and "if" in texts and "else" not in texts:
        tokens = tokens[: tokens.index(("name", "if"))]
    counts = (
        tokens[:2] == [("name", "range"), ("sign", "(")]
        and sum(len(p) + 1 for p in _split(tokens[2:])) == len(tokens) - 2
    )
    return [] if counts else tokens


def _blocks(template: str) -> Iterator[tuple[str, list[Token]]]:
    """Each stretch of code: what opens it, and its tokens. What lies between is text."""
    at = 0
    while (start := _opening(template, at)) >= 0:
        opening = template[start : start + 2]
        if opening == "{#":
            comment = _COMMENT.match(template, start)
            if comment is None:
                raise _Unsafe("has a comment without an end")
            at = comment.end()
            continue
        at = start + 2 + (template[start + 2 : start + 3] in {"-", "+"})
        tokens = []
        for token, end in _tokens(template, at, "}}" if opening == "{{" else "%}"):
            tokens.append(token)
            at = end
        yield opening, tokens[:-1]


def _opening(template: str, at: int) -> int:
    found = [place for mark in ("{{", "{%", "{#") if (place := template.find(mark, at)) >= 0]
    return min(found, default=-1)


def _tokens(template: str, at: int, close: str) -> Iterator[tuple[Token, int]]:
    """Tokens with where each ends, the closing mark last. Within braces ``}}`` closes these."""
    braces: list[str] = []
    while True:
        match = _TOKEN.match(template, at)
        if match is None or match.lastgroup is None:
            words = repr(template[at : at + 8]) if at < len(template) else "an end that is missing"
            raise _Unsafe(f"holds in its code what chats do not need: {words}")
        kind, text, at = match.lastgroup, match[0], match.end()
        if kind == "close" and braces:
            kind, text, at = "sign", text[0], match.start() + 1
        if kind == "close":
            if not text.endswith(close):
                raise _Unsafe("closes its code with another mark than it opened it with")
            yield (kind, text), at
            return
        if text in {"(", "[", "{"}:
            braces.append(text)
        elif text in {")", "]", "}"} and (not braces or braces.pop() + text not in {"()", "[]", "{}"}):
            raise _Unsafe("has brackets that do not fit one another")
        if kind != "space":
            yield (kind, text), at


def _check(opening: str, tokens: list[Token], seen: _Seen) -> None:
    """Judge one stretch of code, and note what it binds and calls."""
    tag = ""
    if opening == "{%":
        tag = tokens[0][1] if tokens else ""
        if tag not in TAGS:
            raise _Unsafe(f"uses the statement {tag[:40]!r}, which no chat needs")
        tokens = tokens[1:]
        _bind(tag, tokens, seen)
    brackets: list[str] = []
    for place, (kind, text) in enumerate(tokens):
        around = (
            [_END, _END, *tokens[max(place - 2, 0) : place]][-2:],
            [*tokens[place + 1 : place + 4], _END, _END, _END][:3],
        )
        if kind == "text":
            _check_text(text, around[0][1], around[1][0])
            if brackets[-1:] == ["{"] and around[1][0][1] == ":":
                seen.attributes.add(text[1:-1])
        elif kind == "name" and not (tag == "macro" and place == 0):
            if around[1][0][1] == "(" and around[0][1][1] not in {".", "|"}:
                seen.calls.append((text, _split(tokens[place + 2 :])))
            _check_name(text, around[0], around[1], seen, within=len(brackets) > (tag == "macro"))
        elif kind == "sign":
            _check_sign(text, around[0][1], brackets)
            if text == "[" and _ends_value(around[0][1]):
                _check_subscript(tokens[place + 1 :], seen)


def _bind(tag: str, tokens: list[Token], seen: _Seen) -> None:
    """Note what a statement binds."""
    names = [text for kind, text in tokens if kind == "name"]
    if tag == "macro":
        seen.macros.update(names[:1])
        seen.variables.update(names[1:])
        header = [part for part in _split(tokens[2:]) if part]
        seen.parameters[names[0] if names else ""] = [part[0][1] for part in header]
        seen.made += [({part[0][1]}, part[2:]) for part in header]
    elif tag in {"set", "for"}:
        stop = next((n for n, (_, text) in enumerate(tokens) if text == ("=" if tag == "set" else "in")), len(tokens))
        bound = {text for kind, text in tokens[:stop] if kind == "name"}
        seen.made.append((bound, _source(tag, tokens[stop + 1 :]) if stop < len(tokens) else [("text", "")]))
        for (_, before), (kind, text) in zip([_END, *tokens], tokens[:stop], strict=False):
            if kind == "name":
                (seen.attributes if before == "." else seen.variables).add(text)


def _check_name(text: str, before: list[Token], after: list[Token], seen: _Seen, *, within: bool) -> None:
    calls = after[0][1] == "("
    if before[1][1] == ".":
        if _INSIDE.fullmatch(text):
            raise _Unsafe(f"reaches for {text[:80]!r}, a name of the interpreter")
        if calls and text not in METHODS:
            raise _Unsafe(f"calls the method {text[:80]!r}, which no chat needs")
        seen.methods.update({text} if calls else ())
    elif before[1][1] == "|":
        if text not in FILTERS:
            raise _Unsafe(f"uses the filter {text[:80]!r}, which no chat needs")
        if text in _BY_WORD and calls:
            _check_word(text, after[1], after[2])
    elif "__" in text or text in _NEVER:
        raise _Unsafe(f"reaches for {text[:80]!r}, a name of the interpreter")
    elif calls and text not in _OPERATORS and not _is_test(before):
        seen.functions.add(text)
        _check_call(text, after[1], after[2])
    elif within and after[0][1] == "=":
        seen.attributes.add(text)
        if text == "attribute" and (after[1][0] not in {"text", "number"} or after[2][1] not in {",", ")"}):
            raise _Unsafe("makes up the name of an attribute")


def _check_call(name: str, first: Token, second: Token) -> None:
    if name == "namespace" and first[1] != ")" and not (first[0] == "name" and second[1] == "="):
        raise _Unsafe("makes up the names in a namespace")


def _is_test(before: list[Token]) -> bool:
    return before[1][1] == "is" or [text for _, text in before] == ["is", "not"]


def _check_word(name: str, first: Token, second: Token) -> None:
    """The word that a filter uses must stand there in so many letters, and what ``map`` does with each must be listed."""
    if first in (("sign", ")"), ("name", "attribute")):
        return
    if first[0] != "text" or second[1] not in {",", ")"}:
        raise _Unsafe(f"has {name!r} use what it makes up")
    if name == "map" and first[1][1:-1] not in FILTERS:
        raise _Unsafe(f"uses the filter {first[1][1:-1][:80]!r}, which no chat needs")


def _check_text(text: str, before: Token, after: Token) -> None:
    """A text in code may come to be used as the name of an attribute."""
    held = text[1:-1]
    if re.search(r"__\w", held) or (not held.startswith("_") and _INSIDE.fullmatch(held)):
        raise _Unsafe(f"reaches for {held[:80]!r}, a name of the interpreter")
    if "text" in {before[0], after[0]}:
        raise _Unsafe("puts texts together without a sign")


def _ends_value(token: Token) -> bool:
    """Whether a bracket behind this token looks something up, and begins no list."""
    kind, text = token
    return kind == "text" or text in {")", "]", "}"} or (kind == "name" and text not in _OPERATORS)


def _check_subscript(tokens: list[Token], seen: _Seen) -> None:
    """What is looked up is a text that stands there, a number or a slice, or a variable that is no text of the template's own making."""
    inside = [token for part in _split(tokens) for token in (*part, ("sign", ","))][:-1]
    sliced = any(token == ("sign", ":") for token in inside)
    counted = len(inside) > 1 and inside[-1][0] == "number" and inside[-2][1] in {"+", "-"}
    if sliced or counted or (len(inside) == 1 and inside[0][0] in {"text", "number"}):
        return
    if not all(kind == "name" or text == "." for kind, text in inside) or not inside:
        raise _Unsafe("makes up what it looks up")
    seen.looked_up.add(inside[-1][1])


def _check_sign(text: str, before: Token, brackets: list[str]) -> None:
    if text == "(" and (before[0] in {"text", "number"} or before[1] in {")", "]", "}"}):
        raise _Unsafe("calls what an expression gives, and not a name")
    if text == "*" and before[1] in {"(", ","}:
        raise _Unsafe("makes up what it calls with")
    if text == ":" and brackets[-1:] == ["{"] and before[0] not in {"text", "number"}:
        raise _Unsafe("makes up the keys of a dictionary")
    if text in {"(", "[", "{"}:
        brackets.append(text)
    elif text in {")", "]", "}"}:
        brackets.pop()
