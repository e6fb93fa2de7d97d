"""GGUF: what its library writes passes, and templates pass that do what chats need."""

import random

import gguf
import numpy as np
import pytest
from tests.corpora import weights

from trustplane.release.formats.gguf.layout import TYPES
from trustplane.release.formats.gguf.templates import unsafe
from trustplane.release.formats.registry import inspect
from trustplane.release.scanning.content import PIECE


def fill(writer):
    writer.add_name("tiny")
    writer.add_block_count(2)
    for width, value in ((8, 1), (16, 2), (32, 3), (64, 4)):
        getattr(writer, f"add_uint{width}")(f"n.u{width}", value)
        getattr(writer, f"add_int{width}")(f"n.i{width}", -value)
    writer.add_float32("n.f32", 1.5)
    writer.add_float64("n.f64", 2.5)
    writer.add_bool("n.b", True)
    writer.add_array("n.truths", [True, False])
    writer.add_token_list(["a", "b\n", "Wörter", "\u2581"])
    writer.add_token_scores([0.0, 1.0, 2.0, 3.0])
    writer.add_token_types([1, 2, 3, 1])
    writer.add_chat_template([{"name": "default", "template": CHATS[0]}, {"name": "tool_use", "template": CHATS[1]}])


def written(path, more=lambda _writer: None, tensors=True, **how):
    writer = gguf.GGUFWriter(path, "llama", **how)
    fill(writer)
    more(writer)
    if tensors:
        writer.add_tensor("a", np.ones((3, 5), "f4"))
        writer.add_tensor("b", np.ones((7,), "f2"))
        for kind in (gguf.GGMLQuantizationType.Q4_0, gguf.GGMLQuantizationType.Q8_0, gguf.GGMLQuantizationType.BF16):
            writer.add_tensor(kind.name, gguf.quants.quantize(np.ones((4, 64), "f4"), kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.read_bytes()


CHATS = (
    (
        "{{ bos_token }}{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m.content | trim + '<|im_end|>\\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
    ),
    (
        "{#- tools -#}{%- set ns = namespace(last=-1, index=none) -%}{%- macro shown(value, items=[]) -%}{%- if value is mapping -%}"
        "{%- for key, each in value.items() if key not in ['a', 'b'] -%}{{ key ~ ': ' ~ shown(each) }}{%- if not loop.last -%}, {%- endif -%}"
        "{%- endfor -%}{%- else -%}{{ value | tojson | string }}{%- endif -%}{%- endmacro -%}{%- for t in tools or [] -%}"
        "{{- shown(t.function if t.function is defined else t) -}}{%- set ns.last = loop.index0 -%}{%- endfor -%}"
        "{{ messages[1:] | selectattr('role', 'equalto', 'user') | map(attribute='content') | list | length }}"
    ),
    (
        "{%- if messages[0]['role'] == 'system' %}{%- set system = messages[0]['content'] %}{%- else %}{{ raise_exception('no system') }}{% endif -%}"
        "{{ system.split('</think>')[-1].lstrip('\\n') }}{{ strftime_now('%d %b %Y') }}{%- if (x | default('', true)).strip() != '' %}{{ x }}{% endif %}"
    ),
    "{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles') }}{% endif %}{% continue %}{% endfor %}",
    "{{ {'role': 'user', 'parts': [{'text': 'a}}b'}]} | tojson }} and {{ 'braces }} in a text' }} and { % nothing % }",
    "{{ messages.0.content }}{% set a = [1, 2] %}{{ a[::-1] | join(', ') }}{{ 1.5 * 2 // 3 % 4 }}{% set _private = x %}",
    (
        "{% macro shown(spec, known) %}{% for key in spec if key not in known %}{{ spec[key] }}{% endfor %}{% endmacro %}{{ shown(tool.function, ['a']) }}"
        "{% for i in range(1, messages | length) %}{{ messages[i]['role'] ~ messages[i - 1].role ~ messages[-1].role ~ messages[loop.index0 + 1:] }}{% endfor %}"
    ),
    "no code at all: __class__ is a word here, and so is {# a comment with __globals__ #}.",
    "",
)


@pytest.mark.parametrize("how", ["plain", "no tensors", "another alignment"])
def test_what_the_library_writes_passes(how, tmp_path, judged):
    more = {"another alignment": lambda writer: writer.add_custom_alignment(128)}.get(how, lambda _writer: None)
    data = written(tmp_path / "x.gguf", more, tensors=how != "no tensors")
    found = judged(data)
    assert found.objections == ()
    assert (found.format, found.loads_code, found.facts["architecture"], found.facts["chat templates"]) == (
        "gguf",
        False,
        "llama",
        2,
    )
    assert inspect(data).format == "gguf"


def test_numbers_with_their_large_end_first_are_not_judged(tmp_path, judged):
    found = judged(written(tmp_path / "x.gguf", endianess=gguf.GGUFEndian.BIG))
    assert [str(o.rule) for o in found.objections] == ["not-checked"]


def test_the_types_of_tensors_are_those_of_the_library():
    theirs = {kind.value: (kind.name, *gguf.GGML_QUANT_SIZES[kind]) for kind in gguf.GGMLQuantizationType}
    assert theirs == TYPES


def test_a_vocabulary_of_many_words_passes(tmp_path, judged):
    data = written(tmp_path / "x.gguf", lambda writer: writer.add_token_merges([f"a{n} b{n}" for n in range(100_000)]))
    assert judged(data).objections == ()


def test_large_tensors_pass_by_in_pieces(large):
    count = 1 << 28
    head = weights.gguf(infos=[weights.info(shape=(count,))], data=b"")
    found, source = large(head, len(head) + 4 * count)
    assert found.objections == ()
    assert found.facts["parameters"] == count
    assert source.most <= PIECE


@pytest.mark.parametrize("template", CHATS)
def test_what_chats_need_passes(template):
    assert unsafe(template) == ""


@pytest.mark.parametrize(
    "template",
    [
        *weights.TEMPLATES.values(),
        "{{ a.__b }}", "{{ a._b }}", "{{ a['__b'] }}", "{{ a|attr('b') }}", "{{ a|map('attr', 'b') }}", "{{ a|map(b) }}", "{{ a|select(b) }}",
        "{{ a|selectattr(b) }}", "{{ a|sort(attribute=b) }}", "{{ a|sum(attribute='x' ~ b) }}", "{{ 'a' '__b' }}", "{{ '_' '_' }}",
        "{{ not evil() }}", "{{ evil() }}", "{{ a[0]() }}", "{{ a.pop(0)(1) }}", "{{ (a)(1) }}", "{{ 'a'(1) }}", "{{ a.b() }}", "{{ loop(a) }}",
        "{% set range = a %}{{ range(1) }}", "{% for range in a %}{{ range(1) }}{% endfor %}", "{% macro m(range) %}{{ range(1) }}{% endmacro %}",
        "{% macro f() %}{% endmacro %}{% set f = a %}{{ f() }}", "{{ {'strip': a}.strip() }}", "{{ {b: a}.strip() }}", "{% set ns.strip = a %}{{ ns.strip() }}",
        "{{ namespace(a) }}", "{{ namespace([['strip', a]]) }}", "{{ namespace(b=1, *a) }}", "{{ f(**a) }}", "{{ 2 ** 999 }}", "{{ 'a' * 9999999 }}",
        "{% call f() %}{% endcall %}", "{% filter upper %}{% endfilter %}", "{% raw %}{{ a }}{% endraw %}", "{% extends 'a' %}", "{% from 'a' import b %}",
        "{% block a %}{% endblock %}", "{% with a = 1 %}{% endwith %}", "{% do a.b() %}", "{% debug %}", "{% autoescape true %}", "{%%}",
        "{{ x['_' ~ '_class_' ~ '_'] }}", "{% set k = 'a' ~ 'b' %}{{ x[k] }}", "{% set k = 'a' %}{% set l = k %}{{ x[l] }}", "{% for k in ['a', 'b'] %}{{ x[k] }}{% endfor %}",
        "{% set ns = namespace(k='a') %}{{ x[ns.k] }}", "{% macro f(k) %}{{ x[k] }}{% endmacro %}{{ f('a' ~ b) }}", "{% macro f(k='a') %}{{ x[k] }}{% endmacro %}",
        "{% set k %}a{% endset %}{{ x[k] }}", "{{ x[y|upper] }}", "{{ x[y.lower()] }}", "{{ x[y + z] }}", "{{ x[y[0]] }}", "{% macro f(a, k) %}{{ x[k] }}{% endmacro %}{{ f(1, k='a') }}",
        "{% set k = {'a': 1} %}{% for l in k %}{{ x[l] }}{% endfor %}", "{% for k in range(2)|map('string') %}{{ x[k ~ ''] }}{% endfor %}",
        "{{ self }}", "{{ caller() }}", "{{ lipsum() }}", "{{ cycler }}", "{{ joiner }}", "{{ dict(a=1) }}", "{{ super() }}", "{{ x.mro() }}",
        "{{ x.gi_frame }}", "{{ x['f_globals'] }}", "{{ x.cr_code }}", "{{ x.tb_frame }}", "{{ x.func_globals }}", "{{ x }", "{{ x", "{{ (x }}", "{{ x %}",
        "{% if x }}", "{# x", "{{ 'x }}", "{{ `x` }}", "{{ x; y }}", "{{ \u0445 }}", "{{ '\\x61' }}", "{{ '\\u0061' }}", "{{ x ? y }}",
    ],
)  # fmt: skip
def test_what_chats_do_not_need_is_refused(template):
    assert unsafe(template)


def test_what_passes_in_pieces_is_read_as_jinja_reads_it():
    """Random mixtures of fragments: whatever passes calls nothing of the interpreter when Jinja without a sandbox runs it."""
    jinja2 = pytest.importorskip("jinja2")
    dice = random.Random(3)
    bits = [
        "{{", "}}", "{%", "%}", "{#", "#}", "{%-", "-%}", "'", '"', "\\", "{", "}", "(", ")", "[", "]", " ", "\n", "x", "f", "f()", ".strip", "()", "|", "upper", "if x", "endif",
        "for x in y", "endfor", "set f = x", "set strip = f", "raw", "endraw", "~", ":", ",", "=", "1", "x.f", "x['f']", "map(", "'f'",
    ]  # fmt: skip
    called = []
    passed = 0
    for _ in range(30_000):
        template = "".join(dice.choices(bits, k=dice.randrange(1, 12)))
        if unsafe(template):
            continue
        passed += 1
        environment = jinja2.Environment(autoescape=False)
        environment.globals["f"] = lambda *a, **k: called.append(1)
        thing = {"f": environment.globals["f"]}
        try:
            environment.from_string(template).render(x=thing, y=[thing])
        except (jinja2.TemplateError, TypeError, ValueError):
            continue
    assert passed > 1000
    assert called == []


def test_changed_bytes_never_break_the_scanner(judged):
    dice = random.Random(0)
    sound = weights.template(CHATS[1])
    assert judged(sound).objections == ()
    for _ in range(1500):
        data = bytearray(sound)
        for _ in range(dice.choice([1, 1, 3])):
            data[dice.randrange(len(data))] = dice.choice([0, 1, 127, 128, 255, dice.randrange(256)])
        for objection in judged(bytes(data)).objections:
            assert "cannot be read as" not in objection.message
