"""A policy set that is not right never loads, and every problem names its policy, line and remedy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.kernel.policy.actions import ACTIONS
from trustplane.kernel.policy.loading import load_policies
from trustplane.kernel.policy.sources import Source, builtin_sources, statements
from trustplane.values.errors import BadInput

FINE = '@id("fine") permit (principal, action == Action::"plane.read", resource);'


@pytest.mark.parametrize(
    ("code", "text", "said"),
    [
        ("001", 'permit(principal,\naction = "x", resource);', "extra line 1: '=' is not a valid operator"),
        ("001", FINE + "\n\n// a comment; with a semicolon\npermit(", "extra line 4: unexpected end of input"),
        ("001", '@id("a") permit(principal == ?principal, action, resource);', "templates"),
        ("001", FINE.removesuffix(";"), "extra line 1: unexpected end of input"),
        ("003", "permit(principal, action, resource);", "extra line 1: it needs an annotation @id"),
        ("003", '@id("Not Good") permit(principal, action, resource);', "(Not Good): it needs an annotation @id"),
        ("003", FINE + "\n" + FINE, "extra line 1 (fine): another policy has this id"),
        (
            "003",
            '@id("sod-judge-own-model") permit(principal, action, resource);',
            "(sod-judge-own-model): another policy has this id",
        ),
        ("003", '@id("token-scope") permit(principal, action, resource);', "the decision point's own"),
        ("003", '@id("evaluation-error") permit(principal, action, resource);', "the decision point's own"),
        (
            "002",
            '@id("a") permit(principal, action == Action::"model.aprove", resource);',
            "did you mean 'model.approve'",
        ),
        ("002", '@id("a") permit(principal in Role::"reviwer", action, resource);', "did you mean 'reviewer'"),
        ("002", '@id("a") permit(principal, action, resource is ModelVersoin);', "did you mean 'ModelVersion'"),
        (
            "002",
            FINE
            + '\n@id("a")\npermit(principal, action == Action::"model.approve", resource) when { resource.autor == principal };',
            "extra line 2 (a): attribute `autor` on entity type `ModelVersion` not found; did you mean 'author'",
        ),
        (
            "002",
            '@id("a") permit(principal, action == Action::"model.approve", resource is View);',
            "unable to find an applicable action",
        ),
        (
            "002",
            '@id("a") permit(principal, action == Action::"view.open", resource) when { context.now < "x" };',
            "extra line 1 (a)",
        ),
    ],
)
def test_what_is_wrong_is_named(engine, code, text, said):
    with pytest.raises(BadInput) as caught:
        engine.with_extra(text, "extra")
    assert caught.value.code == f"TP-POLICY-{code}"
    assert any(said in problem for problem in caught.value.facts["problems"])


def test_all_problems_of_a_text_are_told_at_once(engine):
    with pytest.raises(BadInput, match=r"and 1 more") as caught:
        engine.with_extra("permit(;\n" + FINE + "\nforbid(principal);", "extra")
    assert [p.split(":")[0] for p in caught.value.facts["problems"]] == ["extra line 1", "extra line 3"]


@pytest.mark.parametrize("source", builtin_sources(), ids=lambda s: s.name)
def test_every_built_in_policy_says_why_above_it_and_every_forbid_says_what_would_be_accepted(source):
    lines = source.text.splitlines()
    for note in load_policies((source,)).whole.notes:
        assert lines[note.line - 2].startswith("// ")
        assert note.effect == "permit" or note.advice


def test_the_built_in_policies_are_read_from_their_folder():
    names = {source.name for source in builtin_sources()}
    assert names >= {"rules/everyone.cedar", "rules/purpose.cedar", "rules/roles/owner.cedar"}
    assert len([n for n in names if n.startswith("rules/roles/")]) == 7


def test_a_note_says_where_its_policy_stands(engine):
    sources = {source.name: source.text.splitlines() for source in builtin_sources()}
    for note in engine.loaded.whole.notes:
        assert sources[note.source][note.line - 1] == f'@id("{note.id}")'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  // only; a comment", []),
        ("a;b;", [(1, "a;"), (1, "b;")]),
        ("a;\n\n // why; so\nb", [(1, "a;"), (4, "b")]),
        ('a "x;\\";" ; // tail;\n c;', [(1, 'a "x;\\";" ;'), (2, "c;")]),
        ('"//";\n//"\n"b";', [(1, '"//";'), (3, '"b";')]),
    ],
)
def test_policies_end_at_semicolons_outside_strings_and_comments(text, expected):
    assert [(s.line, s.text) for s in statements(Source("s", text))] == expected


@given(st.lists(st.sampled_from(['"a;b"', "// x; y\n", ";", " ", "\n", "permit", "{ }", '"//"']), max_size=12))
def test_splitting_again_changes_nothing(pieces):
    once = [s.text for s in statements(Source("s", "".join(pieces)))]
    assert [s.text for s in statements(Source("s", "\n".join(once)))] == once


def test_each_action_has_the_policies_that_can_decide_it(engine):
    for name in ACTIONS:
        ids = {note.id for note in engine.loaded.by_action[name].notes}
        assert ("sod-auditor-changes-nothing" in ids) == (ACTIONS[name].kind == "write")
    assert {n.id for n in engine.loaded.by_action["plane.configure"].notes} == {
        "role-owner",
        "sod-auditor-changes-nothing",
    }
