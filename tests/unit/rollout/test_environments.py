"""What each environment asks for, and what is left on record of a deployment that was refused."""

import importlib.util
from pathlib import Path

import pytest
from sqlalchemy import select, update
from tests.unit.release.conftest import FEATURES

from trustplane.kernel.identity import principals as people
from trustplane.kernel.identity.scopes import environment_target, find_environment, find_project
from trustplane.kernel.identity.tables import Environment
from trustplane.kernel.operation import AccessDenied
from trustplane.kernel.vault.tables import VaultKey
from trustplane.release.approval import approve, reject
from trustplane.release.signing import sign_version
from trustplane.release.tables import ModelVersion
from trustplane.rollout.deployments import deploy, retire
from trustplane.serving.tables import Deployment
from trustplane.values.errors import BadInput, Conflict, NotFound, Refused

TOOL = Path(__file__).parents[3] / "tools" / "verify_log.py"


@pytest.fixture
def approved(plane, cast, ready, fetch):
    """A version that somebody else than its author approved."""
    approve(plane, cast["reviewer"], ready, "it holds")
    return fetch(ready)


@pytest.fixture
def there(plane):
    """An environment of the project, as a place to bind roles at."""

    def find(name):
        with plane.database.read() as session:
            return environment_target(find_environment(session, find_project(session, "credit"), name))

    return find


@pytest.fixture
def nothing_left(plane):
    """Whether nothing was deployed, and no key made for it."""

    def check():
        with plane.database.read() as session:
            return (session.scalar(select(Deployment)), session.scalar(select(VaultKey.id).where(VaultKey.purpose == "deployment"))) == (None, None)  # fmt: skip

    return check


@pytest.fixture(scope="module")
def tool():
    """The auditor's script."""
    spec = importlib.util.spec_from_file_location("verify_log", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_auditors_script_takes_the_receipts_of_deploying_and_retiring(
    plane, cast, approved, tool, tmp_path, capsys
):
    made, of_deploying = deploy(plane, cast["operator"], "credit", "production", "risk")
    of_retiring = retire(plane, cast["operator"], "credit", made)
    for receipt, action in ((of_deploying, "deployment.create"), (of_retiring, "deployment.retire")):
        file = tmp_path / "receipt"
        file.write_text(receipt, "utf-8")
        assert tool.main(["--receipt", str(file), "--vkey", str(plane.ledger.vkey)]) == 0
        said = capsys.readouterr().out
        assert f'"action": "{action}"' in said
        assert f'"resource": "Deployment::{made}"' in said
        file.write_text(receipt.replace("extra ", "extra A", 1), "utf-8")
        assert tool.main(["--receipt", str(file), "--vkey", str(plane.ledger.vkey)]) == 1


def test_a_refusal_leaves_nothing_but_its_event(plane, cast, made_version, newest, nothing_left):
    made_version()
    with pytest.raises(Refused):
        deploy(plane, cast["scientist"], "credit", "staging", "risk")
    event = newest("deployment.create")
    assert (event.leaf.outcome, event.payload["facts"]["code"]) == ("refused", "TP-ROLLOUT-001")
    assert nothing_left()


def test_a_denial_names_the_rules_and_what_would_be_accepted(plane, cast, ready, newest, nothing_left):
    with pytest.raises(AccessDenied) as caught:
        deploy(plane, cast["operator"], "credit", "production", "risk")
    assert caught.value.policies == ("production-approved-creates",)
    assert "have the model version approved first" in caught.value.why
    with pytest.raises(AccessDenied) as caught:
        deploy(plane, cast["scientist"], "credit", "production", "risk")
    assert set(caught.value.policies) == {
        "production-approved-creates", "production-operator-creates", "sod-deploy-own",
    }  # fmt: skip
    event = newest("deployment.create")
    assert (event.leaf.outcome, event.payload["decision"]["effect"]) == ("denied", "deny")
    assert nothing_left()


def test_an_approval_that_was_taken_back_closes_production_again(plane, cast, approved, nothing_left):
    reject(plane, cast["reviewer"], approved, "a defect came to light")
    with pytest.raises(AccessDenied) as caught:
        deploy(plane, cast["operator"], "credit", "production", "risk")
    assert caught.value.policies == ("production-approved-creates",)
    assert nothing_left()


def test_an_approval_that_was_taken_back_while_deploying_is_noticed(plane, cast, approved, monkeypatch, nothing_left):
    """Policy decides by what was read before; within the unit of work it is looked at again."""
    held = plane.authorise

    def slow(*said):
        allowed = held(*said)
        with plane.database.write() as session:
            session.execute(update(ModelVersion).values(status="candidate"))
        return allowed

    monkeypatch.setattr(plane, "authorise", slow)
    with pytest.raises(Refused) as caught:
        deploy(plane, cast["operator"], "credit", "production", "risk")
    assert (caught.value.code, caught.value.what) == ("TP-ROLLOUT-001", "the version is not approved")
    assert nothing_left()


def test_it_is_the_flag_and_not_the_name_that_makes_production(plane, cast, ready):
    people.create_environment(plane, cast["owner"], "credit", "live", production=True)
    people.create_environment(plane, cast["owner"], "credit", "production-like")
    with pytest.raises(AccessDenied):
        deploy(plane, cast["operator"], "credit", "live", "risk")
    deploy(plane, cast["scientist"], "credit", "production-like", "risk")


def test_an_operator_of_one_environment_deploys_in_that_one_alone(plane, owner, cast, approved, there):
    made = people.create_principal(plane, owner, people.PrincipalSpec("user", "grace"))
    people.grant(plane, owner, made, "operator", there("staging"))
    grace = plane.stand_in(made, ("*",))
    deploy(plane, grace, "credit", "staging", "risk")
    with pytest.raises(AccessDenied):
        deploy(plane, grace, "credit", "production", "risk")
    with pytest.raises(AccessDenied):
        retire(plane, grace, "credit", deploy(plane, cast["operator"], "credit", "production", "risk")[0])


def test_a_service_deploys_but_not_what_its_owner_made_or_approved(plane, owner, cast, approved, there):
    for role in ("scientist", "reviewer", "operator"):
        spec = people.PrincipalSpec("service", f"pipeline-of-{role}", owner_id=cast[role].id)
        made = people.create_principal(plane, owner, spec)
        people.grant(plane, owner, made, "operator", there("production"))
        service = plane.stand_in(made, ("*",))
        if role == "operator":
            deployment, _ = deploy(plane, service, "credit", "production", "risk")
            with plane.database.read() as session:
                assert session.get_one(Deployment, deployment).author_id == cast["operator"].id
            continue
        with pytest.raises(AccessDenied) as caught:
            deploy(plane, service, "credit", "production", "risk")
        assert caught.value.policies == ("sod-deploy-own",)


def test_a_token_of_another_scope_deploys_and_retires_nothing(plane, cast, approved):
    for scope in ("deployment.read", "deployment.infer", "model.*"):
        actor = plane.stand_in(cast["operator"].id, (scope,))
        with pytest.raises(AccessDenied) as caught:
            deploy(plane, actor, "credit", "production", "risk")
        assert caught.value.policies == ("token-scope",)
    deploy(plane, plane.stand_in(cast["operator"].id, ("deployment.*",)), "credit", "production", "risk")


def test_only_operators_and_owners_retire(plane, cast, ready):
    made, _ = deploy(plane, cast["scientist"], "credit", "staging", "risk")
    for role in ("data-steward", "scientist", "reviewer", "auditor", "consumer"):
        with pytest.raises(AccessDenied):
            retire(plane, cast[role], "credit", made)
    with plane.database.read() as session:
        assert session.get_one(Deployment, made).status == "active"
    assert retire(plane, cast["owner"], "credit", made)


def test_a_name_is_the_planes_and_free_again_once_it_is_retired(plane, owner, cast, approved):
    first, _ = deploy(plane, cast["scientist"], "credit", "staging", "risk", name="risk")
    with pytest.raises(Conflict) as caught:
        deploy(plane, cast["operator"], "credit", "production", "risk", name="risk")
    assert "staging" not in str(caught.value), "where it is may be none of the actor's business"
    retire(plane, cast["operator"], "credit", first)
    second, _ = deploy(plane, cast["operator"], "credit", "production", "risk", name="risk")
    retire(plane, cast["operator"], "credit", "risk")
    with plane.database.read() as session:
        assert {session.get_one(Deployment, d).status for d in (first, second)} == {"retired"}


def test_an_earlier_version_is_brought_back_by_its_number(plane, cast, made_version):
    for _ in range(2):
        sign_version(plane, cast["scientist"], made_version())
    deploy(plane, cast["scientist"], "credit", "staging", "risk")
    made, _ = deploy(plane, cast["scientist"], "credit", "staging", "risk", number=1)
    with plane.database.read() as session:
        rows = session.scalars(select(Deployment).where(Deployment.status == "active")).all()
        assert [r.id for r in rows] == [made]
        assert session.get_one(ModelVersion, rows[0].model_version_id).number == 1
    for number in (0, -1, 3, 2**31 - 1):
        with pytest.raises(NotFound):
            deploy(plane, cast["scientist"], "credit", "staging", "risk", number=number)


def test_the_newest_version_is_meant_and_never_an_older_one_that_would_pass(plane, cast, approved, made_version):
    made_version()
    with pytest.raises(AccessDenied):
        deploy(plane, cast["operator"], "credit", "production", "risk")
    deploy(plane, cast["operator"], "credit", "production", "risk", number=approved.number)


def test_each_deployment_has_a_key_of_its_own_for_its_decisions(plane, cast, ready):
    made = [deploy(plane, cast["scientist"], "credit", "staging", "risk", name=name)[0] for name in ("a", "b")]
    with plane.database.read() as session:
        rows = [session.get_one(Deployment, d) for d in made]
        keys = [session.get_one(VaultKey, row.key_id) for row in rows]
    assert len({k.id for k in keys}) == 2
    assert [k.subject for k in keys] == [f"deployment:{d}" for d in made]
    assert "wrapped" not in repr(keys[0])


HOSTILE = ("", "x" * 65, "..", "Risk", "risk\n", "ри́ск", "<script>", "-a", "a-", "a' OR 1=1")


def test_hostile_names_are_refused_before_anything(plane, cast, ready, nothing_left):
    for name in filter(None, HOSTILE):
        with pytest.raises(BadInput) as caught:
            deploy(plane, cast["scientist"], "credit", "staging", "risk", name=name)
        assert caught.value.code == "TP-VALUE-001"
    for name in HOSTILE:
        for arguments in ((name, "staging", "risk"), ("credit", name, "risk"), ("credit", "staging", name)):
            with pytest.raises(NotFound):
                deploy(plane, cast["scientist"], *arguments)
    assert nothing_left()


def test_features_are_what_the_gateway_checks_by(plane, cast, ready):
    made, _ = deploy(plane, cast["scientist"], "credit", "staging", "risk")
    with plane.database.read() as session:
        version = session.get_one(ModelVersion, session.get_one(Deployment, made).model_version_id)
        staging = session.get_one(Environment, session.get_one(Deployment, made).environment_id)
    assert [f["name"] for f in version.interface["features"]] == [f["name"] for f in FEATURES]
    assert not staging.production
