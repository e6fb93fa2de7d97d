"""The gateway as its callers meet it: plain ASGI, tokens, bounds, and answers that say nothing of what was sent."""

import asyncio
import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from tests.unit.release.conftest import score, spoil
from tests.unit.serving.conftest import NAME, ROWS, body

from trustplane.kernel.identity import principals as people
from trustplane.kernel.plane import Plane
from trustplane.serving.gateway import LARGEST
from trustplane.serving.tables import Decision
from trustplane.values.clock import FixedClock

MODEL = f"/v2/models/{NAME}"
INFER = f"{MODEL}/infer"
STRANGER = "tp_" + "A" * 43


def problem(answer, status, code):
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), answer.text
    said = answer.json()
    assert (said["code"], said["status"]) == (code, status)
    assert said["error"].startswith(code)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    return said


def recorded(plane) -> int:
    with plane.database.read() as session:
        return session.scalar(select(func.count()).select_from(Decision))


def test_server_health_and_metadata_need_no_token(ask):
    assert ask("GET", "/v2/health/live").json() == {"live": True}
    assert ask("GET", "/v2/health/ready").json() == {"ready": True}
    said = ask("GET", "/v2").json()
    assert (said["name"], said["extensions"]) == ("trustplane", [])


def test_a_request_is_answered(plane, ask, token, deployment):
    held = token().secret
    answer = ask("POST", INFER, held, body())
    assert answer.status_code == 200
    assert answer.json()["outputs"][0]["data"] == pytest.approx(score(ROWS), abs=1e-6)
    assert recorded(plane) == 1
    assert ask("GET", MODEL, held).json()["versions"] == ["1"]
    assert ask("GET", f"{MODEL}/ready", held).json() == {"name": NAME, "ready": True}
    assert ask("POST", f"{MODEL}/versions/1/infer", held, body()).status_code == 200
    problem(ask("POST", f"{MODEL}/versions/2/infer", held, body()), 404, "TP-SERVING-001")
    problem(ask("GET", f"{MODEL}/versions/2/ready", held), 404, "TP-SERVING-001")
    problem(ask("GET", f"{MODEL}/versions/2", held), 404, "TP-SERVING-001")
    assert recorded(plane) == 2


def test_nothing_of_a_model_is_shown_without_a_token(plane, ask, deployment):
    for method, path, content in (("POST", INFER, body()), ("GET", MODEL, None), ("GET", f"{MODEL}/ready", None)):
        for held in (None, "", "x", STRANGER, "tps_" + "A" * 43, STRANGER + "\u00e9"):
            answer = ask(method, path, held, content)
            said = problem(answer, 401, "TP-IDENTITY-001")
            assert answer.headers["www-authenticate"] == "Bearer"
            assert STRANGER not in str(said)
    assert recorded(plane) == 0


def test_an_unknown_model_is_told_apart_only_by_those_who_have_a_token(ask, token, deployment):
    assert ask("GET", MODEL).json() == ask("GET", "/v2/models/unknown").json()
    problem(ask("GET", "/v2/models/unknown", token().secret), 404, "TP-SERVING-001")


def test_a_revoked_token_is_accepted_no_more_from_the_next_request_on(plane, ask, token, deployment, owner):
    held = token()
    assert ask("POST", INFER, held.secret, body()).status_code == 200
    people.revoke_token(plane, owner, held.id)
    problem(ask("POST", INFER, held.secret, body()), 401, "TP-IDENTITY-001")
    assert recorded(plane) == 1


def test_a_token_that_another_process_revoked_is_accepted_no_more(plane, workspace, ask, token, deployment, owner):
    held = token()
    assert ask("POST", INFER, held.secret, body()).status_code == 200
    with Plane(workspace) as other:
        people.revoke_token(other, owner, held.id)
    problem(ask("POST", INFER, held.secret, body()), 401, "TP-IDENTITY-001")


def test_an_expired_token_is_refused_from_its_last_moment_on(plane, ask, token, deployment):
    plane.clock = clock = FixedClock(plane.clock.now())
    held = token(life=timedelta(hours=1)).secret
    clock.advance(minutes=59, seconds=59)
    assert ask("POST", INFER, held, body()).status_code == 200
    clock.advance(seconds=1)
    problem(ask("POST", INFER, held, body()), 401, "TP-IDENTITY-001")


def test_a_disabled_principal_is_refused(plane, ask, token, deployment, owner, cast):
    held = token().secret
    people.disable_principal(plane, owner, cast["consumer"].name)
    problem(ask("POST", INFER, held, body()), 401, "TP-IDENTITY-001")


def test_a_token_of_another_scope_and_a_role_without_the_right_are_denied(plane, ask, token, deployment):
    said = problem(ask("POST", INFER, token(scopes=("deployment.read",)).secret, body()), 403, "TP-POLICY-020")
    assert said["facts"]["policies"] == ["token-scope"]
    said = problem(ask("POST", INFER, token("data-steward").secret, body()), 403, "TP-POLICY-020")
    assert said["facts"]["policies"] == []
    problem(ask("GET", MODEL, token("data-steward").secret), 403, "TP-POLICY-020")
    assert recorded(plane) == 0


REFUSED = (
    (None, 400, "TP-SERVING-002"),
    (b"", 400, "TP-SERVING-002"),
    (b"4711.5 is no request", 400, "TP-SERVING-002"),
    (b"\xff\xfe4711.5", 400, "TP-SERVING-002"),
    (b'{"inputs": "\xff4711.5"}', 400, "TP-SERVING-002"),
    (b'{"inputs": [{"name": "\xff4711.5"}]}', 400, "TP-SERVING-002"),
    (b"[" * 1_000_000, 400, "TP-SERVING-002"),
    (
        b'{"inputs": [{"name": "features", "shape": [1, 2], "datatype": "FP32", "data": ' + b"[" * 500_000,
        400,
        "TP-SERVING-002",
    ),
    (body(name="4711.5"), 400, "TP-SERVING-003"),
    (body(datatype="BYTES"), 400, "TP-SERVING-003"),
    (body(shape=[2, 1]), 400, "TP-SERVING-003"),
    (body([["4711.5", 5.0]]), 400, "TP-SERVING-003"),
    (body([[4711.5, 5.0]]), 422, "TP-SERVING-009"),
    (body([[50.0, 1e300]]), 422, "TP-SERVING-009"),
    (b'{"inputs": [], "padding": "' + b"4711.5" * (LARGEST // 6) + b'"}', 413, "TP-SERVING-011"),
)


def test_a_refusal_has_its_code_and_says_nothing_of_the_input_nor_of_the_machine(
    plane, ask, token, deployment, caplog, capfd
):
    held = token().secret
    for content, status, code in REFUSED:
        answer = ask("POST", INFER, held, content)
        problem(answer, status, code)
        for secret in ("4711", held, "Traceback", ".py", str(plane.workspace.folder), plane.workspace.database_url):
            assert secret not in answer.text
    assert recorded(plane) == 0
    written = capfd.readouterr()
    assert "4711" not in caplog.text + written.out + written.err


def test_the_largest_request_is_read_and_one_byte_more_is_not(ask, token, deployment):
    held, start = token().secret, body()[:-1] + b', "id": "'
    fits = start + b"x" * (LARGEST - len(start) - 2) + b'"}'
    assert len(fits) == LARGEST
    assert ask("POST", INFER, held, fits).status_code == 200
    problem(ask("POST", INFER, held, fits + b" "), 413, "TP-SERVING-011")


def test_a_tampered_model_is_not_served(plane, ask, token, deployment, fetch):
    spoil(plane, fetch(deployment.model_version_id).blob)
    held = token().secret
    for method, path, content in (("POST", INFER, body()), ("GET", f"{MODEL}/ready", None), ("GET", MODEL, None)):
        said = ask(method, path, held, content).json()
        assert said["code"] in {"TP-VAULT-011", "TP-VAULT-014"}
        assert "outputs" not in said
        assert str(plane.workspace.folder) not in str(said)
    assert recorded(plane) == 0


def test_without_a_durable_record_no_answer_leaves(plane, ask, token, deployment):
    held = token().secret
    with plane.database.write() as session:
        session.execute(text("ALTER TABLE decisions RENAME TO elsewhere"))
    answer = ask("POST", INFER, held, body())
    assert answer.status_code == 500
    assert "outputs" not in answer.text
    with plane.database.write() as session:
        session.execute(text("ALTER TABLE elsewhere RENAME TO decisions"))
    assert ask("POST", INFER, held, body()).status_code == 200
    assert recorded(plane) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2"),
        ("GET", "/v2/health"),
        ("GET", "/v2/models"),
        ("GET", f"{MODEL}/infer/more"),
        ("GET", f"{MODEL}/versions//ready"),
        ("GET", f"{MODEL}/versions/1/versions/1"),
        ("GET", "/v2/models//ready"),
        ("GET", "/v2/models/../../api/v1/whoami"),
        ("GET", "/v2/models/" + "x" * 129),
    ],
)
def test_other_paths_are_refused_before_anything_is_looked_at(gateway_alone, method, path):
    status, said = gateway_alone(method, path)
    assert (status, said["code"]) == (404, "TP-SERVING-010")


def test_other_methods_are_refused(plane, ask, token, deployment):
    held = token().secret
    for method, path in (
        ("GET", INFER),
        ("PUT", INFER),
        ("DELETE", MODEL),
        ("POST", MODEL),
        ("POST", f"{MODEL}/ready"),
    ):
        problem(ask(method, path, held, body()), 404, "TP-SERVING-010")
        problem(ask(method, path, None, body()), 401, "TP-IDENTITY-001")
    assert recorded(plane) == 0


@pytest.fixture
def gateway_alone(behind):
    """Send a path to a gateway without a plane behind it, as a server hands it on: nothing in it is resolved."""
    from trustplane.serving.gateway import Gateway

    class NoPlane:
        plane = None

    def send(method, path):
        sent = []

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def keep(message):
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "headers": []}
        asyncio.run(Gateway(behind, NoPlane)(scope, receive, keep))
        return sent[0]["status"], json.loads(sent[1]["body"])

    return send


def test_everything_else_goes_to_the_application_behind(ask, behind):
    for path in ("/", "/v1/models", "/v2x", "/v20/models/risk", "/api/v2/health"):
        assert ask("GET", path).status_code == 204
    assert behind.paths == ["/", "/v1/models", "/v2x", "/v20/models/risk", "/api/v2/health"]
    ask("GET", "/v2/health/live")
    assert len(behind.paths) == 5


def test_a_request_that_is_cut_short_is_not_answered(plane, gateway, token, deployment):
    sent = []

    async def receive():
        parts.append(None)
        if len(parts) == 1:
            return {"type": "http.request", "body": body()[:10], "more_body": True}
        return {"type": "http.disconnect"}

    async def keep(message):
        sent.append(message)

    parts = []
    headers = [(b"authorization", f"Bearer {token().secret}".encode())]
    asyncio.run(gateway({"type": "http", "method": "POST", "path": INFER, "headers": headers}, receive, keep))
    assert json.loads(sent[1]["body"])["code"] == "TP-SERVING-002"
    assert recorded(plane) == 0


def test_32_requests_at_once_each_get_their_own_answer_and_record(plane, together, token, deployment):
    held = [token().secret, token("operator").secret]
    rows = [[[3.0 * i, 0.25 * i]] for i in range(32)]
    answers = together([("POST", INFER, held[i % 2], body(row)) for i, row in enumerate(rows)])
    assert {a.status_code for a in answers} == {200}
    for row, answer in zip(rows, answers, strict=True):
        assert answer.json()["outputs"][0]["data"] == pytest.approx(score(row), abs=1e-6)
    events = {a.json()["parameters"]["event"] for a in answers}
    assert len(events) == 32
    with plane.database.read() as session:
        assert set(session.scalars(select(Decision.id))) == events
    for event in events:
        assert plane.ledger.get(event).leaf.outcome == "done"
    loads = [e for e in plane.ledger.feed(limit=200) if e.leaf.action == "deployment.load"]
    assert len(loads) == 1


def test_bad_requests_among_good_ones_harm_none_of_them(plane, together, token, deployment):
    held = token().secret
    mixed = [body(), b"no request", body([[1e9, 5.0]]), body(name="other")] * 8
    answers = together([("POST", INFER, held if i % 5 else STRANGER, content) for i, content in enumerate(mixed)])
    for i, (content, answer) in enumerate(zip(mixed, answers, strict=True)):
        good = content == body() and i % 5
        assert answer.is_success == bool(good)
    assert recorded(plane) == sum(a.is_success for a in answers)
