"""Deploying and retiring: what may go where, by whom, and what each leaves behind."""

import pytest
from sqlalchemy import select, update

from trustplane.kernel.ledger import crosscheck
from trustplane.kernel.ledger.proofs import verify_receipt
from trustplane.kernel.operation import AccessDenied, Idempotency
from trustplane.release.approval import approve, reject
from trustplane.release.tables import ModelVersion
from trustplane.rollout.deployments import deploy, retire
from trustplane.serving.tables import Deployment
from trustplane.values.errors import BadInput, Conflict, NotFound, Refused, Tampered


@pytest.fixture
def approved(plane, cast, ready, fetch):
    approve(plane, cast["reviewer"], ready, "it holds")
    return fetch(ready)


def deployments(plane):
    with plane.database.read() as session:
        return {d.name: d for d in session.scalars(select(Deployment).where(Deployment.status == "active"))}


def sound(plane):
    """Whether all state is that of the events, but for the assessment that a fixture put there."""
    return [d for d in crosscheck.verify(plane).discrepancies if not d.where.startswith("assessments:")] == []


def test_staging_takes_a_signed_version_from_its_scientist(plane, cast, ready, newest):
    made, receipt = deploy(plane, cast["scientist"], "credit", "staging", "risk")
    row = deployments(plane)["risk-staging"]
    assert (row.id, row.model_version_id, row.author_id) == (made, ready.id, cast["scientist"].id)
    event = newest("deployment.create")
    assert (event.payload["facts"]["version"], event.payload["facts"]["production"]) == (ready.id, False)
    assert event.payload["refers"]["model"] == ready.sha256
    assert event.leaf.id.encode() in verify_receipt(receipt, [plane.ledger.vkey]).entry
    assert sound(plane)


def test_production_takes_an_approved_version_from_an_operator(plane, cast, approved):
    deploy(plane, cast["operator"], "credit", "production", "risk")
    assert set(deployments(plane)) == {"risk-production"}


def test_production_does_not_take_one_that_is_not_approved(plane, cast, ready):
    with pytest.raises(AccessDenied) as told:
        deploy(plane, cast["operator"], "credit", "production", "risk")
    assert "production" in " ".join(told.value.policies)
    assert deployments(plane) == {}


def test_who_made_or_approved_it_does_not_deploy_it_to_production(plane, cast, approved, person):
    from trustplane.kernel.identity import principals as people
    from trustplane.kernel.identity.scopes import find_project, project_target

    with plane.database.read() as session:
        scope = project_target(find_project(session, "credit"))
    for role in ("scientist", "reviewer"):
        people.grant(plane, cast["owner"], cast[role].id, "operator", scope)
        actor = plane.stand_in(cast[role].id, ("*",))
        with pytest.raises(AccessDenied) as told:
            deploy(plane, actor, "credit", "production", "risk")
        assert "sod-deploy-own" in told.value.policies
    assert deployments(plane) == {}


@pytest.mark.parametrize("role", ["owner", "data-steward", "reviewer", "auditor", "consumer", "scientist"])
def test_only_an_operator_deploys_to_production(plane, cast, approved, role):
    with pytest.raises(AccessDenied):
        deploy(plane, cast[role], "credit", "production", "risk")
    assert deployments(plane) == {}


def test_an_unsigned_version_is_served_nowhere(plane, cast, made_version):
    made_version()
    with pytest.raises(Refused) as told:
        deploy(plane, cast["scientist"], "credit", "staging", "risk")
    assert told.value.code == "TP-ROLLOUT-001"
    assert "model sign" in told.value.fix


def test_a_rejected_version_is_served_nowhere(plane, cast, ready):
    reject(plane, cast["reviewer"], ready, "no")
    with pytest.raises(Refused) as told:
        deploy(plane, cast["scientist"], "credit", "staging", "risk")
    assert told.value.code == "TP-ROLLOUT-001"


@pytest.mark.parametrize("change", [{"sha256": "sha256:" + "0" * 64}, {"interface": {"features": [{"name": "other"}]}}])
def test_a_version_that_was_changed_beside_the_door_is_not_deployed(plane, cast, ready, change):
    with plane.database.engine.begin() as connection:
        connection.execute(update(ModelVersion).where(ModelVersion.id == ready.id).values(**change))
    with pytest.raises(Tampered) as told:
        deploy(plane, cast["scientist"], "credit", "staging", "risk")
    assert told.value.code == "TP-RELEASE-008"
    assert deployments(plane) == {}


def test_a_version_that_does_not_name_its_features_is_not_served(plane, cast, made_version, fetch):
    from tests.unit.release.conftest import graph

    from trustplane.release.signing import sign_version

    version = made_version({"model.onnx": graph()})
    sign_version(plane, cast["scientist"], version)
    with pytest.raises(BadInput) as told:
        deploy(plane, cast["scientist"], "credit", "staging", "risk")
    assert told.value.code == "TP-ROLLOUT-003"


def test_a_new_deployment_retires_the_one_before(plane, cast, ready, newest):
    first, _ = deploy(plane, cast["scientist"], "credit", "staging", "risk")
    second, _ = deploy(plane, cast["scientist"], "credit", "staging", "risk")
    assert deployments(plane)["risk-staging"].id == second
    assert newest("deployment.create").payload["facts"]["replaced"] == first
    with plane.database.read() as session:
        assert session.get_one(Deployment, first).retired_at is not None
    assert sound(plane)


def test_a_name_is_not_taken_from_another_environment(plane, cast, approved):
    deploy(plane, cast["scientist"], "credit", "staging", "risk", name="risk")
    with pytest.raises(Conflict) as told:
        deploy(plane, cast["operator"], "credit", "production", "risk", name="risk")
    assert told.value.code == "TP-ROLLOUT-002"


def test_a_repeated_request_deploys_once(plane, cast, ready):
    key = Idempotency("k", "request")
    made, _ = deploy(plane, cast["scientist"], "credit", "staging", "risk", idempotency=key)
    assert plane.replayed(cast["scientist"], key) == made


def test_retiring_is_on_record_and_done_once(plane, cast, ready, newest):
    deploy(plane, cast["scientist"], "credit", "staging", "risk")
    receipt = retire(plane, cast["operator"], "credit", "risk-staging")
    assert b"deployment.retire" in verify_receipt(receipt, [plane.ledger.vkey]).entry
    assert deployments(plane) == {}
    with pytest.raises(Conflict):
        retire(plane, cast["operator"], "credit", "risk-staging")


def test_nearly_right_names_are_told(plane, cast, ready):
    for arguments, hint in (
        (("credit", "stagin", "risk"), "staging"),
        (("credit", "staging", "rsk"), "risk"),
        (("credi", "staging", "risk"), "credit"),
    ):
        with pytest.raises(NotFound) as told:
            deploy(plane, cast["scientist"], *arguments)
        assert f"did you mean '{hint}'" in told.value.why


@pytest.mark.parametrize("name", ["../x", "a b", "\u00e4", "a/b", "A"])
def test_a_bad_name_is_refused(plane, cast, ready, name):
    with pytest.raises(BadInput):
        deploy(plane, cast["scientist"], "credit", "staging", "risk", name=name)
