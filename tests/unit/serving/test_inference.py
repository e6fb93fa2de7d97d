"""Answering: decided first, checked, and on durable record before the answer leaves."""

import json

import pytest
from sqlalchemy import func, select, text
from tests.unit.release.conftest import FEATURES, graph, score
from tests.unit.serving.conftest import NAME, ROWS, body

from trustplane.kernel.identity import principals as people
from trustplane.kernel.operation import AccessDenied
from trustplane.kernel.plane import Plane
from trustplane.release.approval import approve, reject
from trustplane.rollout.deployments import deploy, retire
from trustplane.serving import inference
from trustplane.serving.inference import active_deployment, infer, metadata
from trustplane.serving.loading import Shelf
from trustplane.serving.tables import Decision
from trustplane.values.errors import BadInput, NotFound, Tampered


@pytest.fixture
def shelf(plane):
    """The loaded models."""
    return Shelf(plane)


def recorded(plane) -> int:
    with plane.database.read() as session:
        return session.scalar(select(func.count()).select_from(Decision))


def test_an_answer_is_the_models_and_names_the_event_that_is_on_record(plane, cast, deployment, shelf, workspace):
    answer = infer(plane, shelf, cast["consumer"], NAME, body())
    (output,) = answer["outputs"]
    assert output["data"] == pytest.approx(score(ROWS), abs=1e-6)
    assert (answer["model_name"], answer["model_version"]) == (NAME, "1")
    event = plane.ledger.get(answer["parameters"]["event"])
    assert (event.leaf.action, event.leaf.outcome) == ("deployment.infer", "done")
    assert event.leaf.actor == cast["consumer"].id
    assert event.payload["facts"] == {"deployment": deployment.id, "version": deployment.model_version_id, "rows": 2}
    assert list(event.payload["state"]) == [f"decisions:{event.leaf.id}"]
    with plane.database.read() as session:
        row = session.get_one(Decision, event.leaf.id)
    assert (row.rows, row.deployment_id, row.actor_id) == (2, deployment.id, cast["consumer"].id)


def test_the_event_holds_no_value_of_input_or_output(plane, cast, deployment, shelf):
    answer = infer(plane, shelf, cast["consumer"], NAME, body([[41.71828, 3.14159]]))
    event = plane.ledger.get(answer["parameters"]["event"])
    said = json.dumps(event.payload)
    for value in ("41.71", "3.141", str(answer["outputs"][0]["data"][0])[:6]):
        assert value not in said


def test_without_a_durable_record_there_is_no_answer(plane, cast, deployment, shelf):
    infer(plane, shelf, cast["consumer"], NAME, body())
    with plane.database.write() as session:
        session.execute(text("ALTER TABLE decisions RENAME TO elsewhere"))
    with pytest.raises(Exception, match="decisions"):
        infer(plane, shelf, cast["consumer"], NAME, body())
    (failed,) = plane.ledger.feed(limit=1)
    assert (failed.leaf.action, failed.leaf.outcome) == ("deployment.infer", "failed")
    with plane.database.write() as session:
        session.execute(text("ALTER TABLE elsewhere RENAME TO decisions"))
    assert recorded(plane) == 1
    infer(plane, shelf, cast["consumer"], NAME, body())
    assert recorded(plane) == 2


def test_what_was_answered_is_there_for_another_process_at_once(plane, cast, deployment, shelf, workspace):
    event = infer(plane, shelf, cast["consumer"], NAME, body())["parameters"]["event"]
    with Plane(workspace) as other, other.database.read() as session:
        assert session.get(Decision, event) is not None
        assert other.ledger.get(event).leaf.id == event


def test_who_has_no_right_is_denied_and_no_model_is_loaded_for_them(plane, cast, deployment, shelf, newest):
    for role in ("owner", "data-steward", "reviewer", "auditor"):
        with pytest.raises(AccessDenied):
            infer(plane, shelf, cast[role], NAME, b"not even a request")
        assert (newest().leaf.action, newest().leaf.outcome) == ("deployment.infer", "denied")
    assert "deployment.load" not in {e.leaf.action for e in plane.ledger.feed(limit=100)}
    assert recorded(plane) == 0


def test_a_token_of_another_scope_is_denied(plane, cast, deployment, shelf):
    for scope in ("deployment.read", "decision.read", "model.*"):
        with pytest.raises(AccessDenied) as caught:
            infer(plane, shelf, plane.stand_in(cast["consumer"].id, (scope,)), NAME, body())
        assert caught.value.policies == ("token-scope",)


def test_a_consumer_of_one_environment_asks_in_that_one_alone(plane, owner, cast, deployment, shelf):
    spec = people.PrincipalSpec("service", "checkout", owner_id=cast["operator"].id)
    made = people.create_principal(plane, owner, spec)
    people.create_environment(plane, owner, "credit", "trial")
    deploy(plane, cast["scientist"], "credit", "trial", "risk")
    with plane.database.read() as session:
        staging = people.scope_target(session, "environment", deployment.environment_id)
    people.grant(plane, owner, made, "consumer", staging)
    service = plane.stand_in(made, ("*",))
    assert infer(plane, shelf, service, NAME, body())
    with pytest.raises(AccessDenied):
        infer(plane, shelf, service, "risk-trial", body())


REFUSED = (
    (b"", "TP-SERVING-002"),
    (b"not json", "TP-SERVING-002"),
    (b"[" * 100_000, "TP-SERVING-002"),
    (b'{"inputs": []}', "TP-SERVING-003"),
    (body(name="other"), "TP-SERVING-003"),
    (body(datatype="FP64"), "TP-SERVING-003"),
    (body(shape=[2, 3]), "TP-SERVING-003"),
    (body(shape=[1, 2]), "TP-SERVING-003"),
    (body([["4711.5", 5.0]]), "TP-SERVING-003"),
    (body([[None, 5.0]]), "TP-SERVING-003"),
    (body([[float("nan"), 5.0]]), "TP-SERVING-002"),
    (body([[1e300, 5.0]]), "TP-SERVING-009"),
    (body([[4711.5, 5.0]]), "TP-SERVING-009"),
    (body([[50.0, -4711.5]]), "TP-SERVING-009"),
    (body([[50.0, 5.0]] * 9_999 + [[4711.5, 5.0]]), "TP-SERVING-009"),
    (body([[50.0, 5.0]] * 10_001), "TP-SERVING-003"),
)


def test_bad_input_is_refused_with_its_code_recorded_and_not_quoted(plane, cast, deployment, shelf, newest):
    for content, code in REFUSED:
        with pytest.raises(BadInput) as caught:
            infer(plane, shelf, cast["consumer"], NAME, content)
        assert caught.value.code == code
        assert "4711" not in json.dumps(caught.value.problem())
        event = newest("deployment.infer")
        assert event.leaf.outcome == "refused"
        assert event.payload["facts"] == {"code": code}
    assert recorded(plane) == 0


def test_an_output_that_the_model_does_not_give_leaves_no_decision(plane, cast, deployment, shelf):
    content = json.dumps({**json.loads(body()), "outputs": [{"name": "secret"}]}).encode()
    with pytest.raises(BadInput):
        infer(plane, shelf, cast["consumer"], NAME, content)
    assert recorded(plane) == 0


def test_a_model_wider_than_its_described_features_answers_nothing(plane, cast, deployed, shelf):
    said = json.dumps(FEATURES).encode()
    deployed(outputs={"model.onnx": graph(width=3), "features.json": said})
    tensor = {"name": "features", "shape": [1, 3], "datatype": "FP32", "data": [50.0, 5.0, 1e30]}
    with pytest.raises(BadInput) as caught:
        infer(plane, shelf, cast["consumer"], NAME, json.dumps({"inputs": [tensor]}).encode())
    assert caught.value.code == "TP-SERVING-003"


def test_the_version_that_is_asked_for_is_the_one_that_answers(plane, cast, deployment, shelf):
    consumer = cast["consumer"]
    assert infer(plane, shelf, consumer, NAME, body(), "1")["model_version"] == "1"
    assert metadata(plane, shelf, consumer, NAME, "1")["versions"] == ["1"]
    for asked in ("2", "01", "1.0", "latest", ""):
        for call, *said in ((infer, body()), (metadata,), (inference.ready,)):
            with pytest.raises(NotFound) as caught:
                call(plane, shelf, consumer, NAME, *said, asked)
            assert caught.value.code == "TP-SERVING-001"
    assert recorded(plane) == 1


def test_metadata_says_what_the_model_takes_and_gives(plane, cast, deployment, shelf):
    assert metadata(plane, shelf, cast["consumer"], NAME) == {
        "name": NAME,
        "versions": ["1"],
        "platform": "onnx_onnxv1",
        "inputs": [{"name": "features", "datatype": "FP32", "shape": [-1, 2]}],
        "outputs": [{"name": "score", "datatype": "FP32", "shape": [-1, 1]}],
        "parameters": {"features": ["income", "debt"]},
    }
    with pytest.raises(AccessDenied):
        metadata(plane, shelf, cast["data-steward"], NAME)


def test_a_model_that_cannot_be_loaded_is_not_ready(plane, cast, deployment, shelf, fetch):
    plane.blobs.path(fetch(deployment.model_version_id).blob).write_bytes(b"something else")
    with pytest.raises(Tampered):
        inference.ready(plane, shelf, cast["consumer"], NAME)
    with pytest.raises(Tampered):
        infer(plane, shelf, cast["consumer"], NAME, body())
    assert recorded(plane) == 0


def test_ready_and_metadata_are_for_those_who_may_look(plane, cast, deployment, shelf):
    assert inference.ready(plane, shelf, cast["auditor"], NAME) == {"name": NAME, "ready": True}
    for look in (inference.ready, metadata):
        with pytest.raises(AccessDenied):
            look(plane, shelf, cast["data-steward"], NAME)


def test_what_is_not_served_or_not_any_more_is_unknown(plane, cast, deployment, shelf):
    for name in ("", "risk-stagin", "risk' OR '1'='1", "x" * 5_000):
        with pytest.raises(NotFound) as caught:
            infer(plane, shelf, cast["consumer"], name, body())
        assert (caught.value.code, len(str(caught.value)) < 300) == ("TP-SERVING-001", True)
    infer(plane, shelf, cast["consumer"], NAME, body())
    retire(plane, cast["operator"], "credit", NAME)
    with pytest.raises(NotFound):
        infer(plane, shelf, cast["consumer"], NAME, body())
    assert recorded(plane) == 1


def test_a_new_version_under_the_same_name_answers_from_then_on(plane, cast, deployed, shelf):
    deployed()
    assert infer(plane, shelf, cast["consumer"], NAME, body())["model_version"] == "1"
    newer = deployed()
    assert infer(plane, shelf, cast["consumer"], NAME, body())["model_version"] == "2"
    assert active_deployment(plane, NAME).id == newer.id


def test_production_answers_consumers_and_operators_and_loads_only_what_is_approved(plane, cast, ready, person):
    reviewer, operator = cast["reviewer"], cast["operator"]
    approve(plane, reviewer, ready, "fine")
    deploy(plane, operator, "credit", "production", "risk")
    shelf = Shelf(plane)
    for role in ("consumer", "operator"):
        assert infer(plane, shelf, cast[role], "risk-production", body())
    with pytest.raises(AccessDenied) as caught:
        infer(plane, shelf, cast["scientist"], "risk-production", body())
    assert caught.value.policies == ("production-inference",)
    reject(plane, reviewer, ready, "a defect came to light")
    with pytest.raises(AccessDenied) as caught:
        inference.ready(plane, Shelf(plane), operator, "risk-production")
    assert caught.value.policies == ("production-approved-loads",)
