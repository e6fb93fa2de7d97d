"""What the API answers to those who ask wrongly: problem documents, and nothing of what they sent."""

import pytest
from tests.unit.api.conftest import PASSWORD

SECRET = "tp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def problem(answer, status, code):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == code
    assert body["status"] == status
    return body


@pytest.mark.parametrize("who", [None, "tp_short", SECRET, "Bearer", "tps_" + "A" * 43])
def test_no_or_a_wrong_token(caller, who):
    answer = caller.call("GET", "/whoami", who)
    body = problem(answer, 401, "TP-IDENTITY-001")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert SECRET not in str(body)


def test_an_expired_and_a_revoked_token(caller, monkeypatch):
    from datetime import timedelta

    from trustplane.values.clock import FixedClock

    issued = caller.call("POST", "/principals/ada/tokens", "ada", json={"days": 1}).json()
    assert caller.call("GET", "/whoami", issued["token"]).is_success
    clock = caller.plane.clock
    caller.plane.clock = FixedClock(clock.now() + timedelta(days=2))
    problem(caller.call("GET", "/whoami", issued["token"]), 401, "TP-IDENTITY-001")
    caller.plane.clock = clock
    caller.call("DELETE", f"/tokens/{issued['id']}", "ada")
    problem(caller.call("GET", "/whoami", issued["token"]), 401, "TP-IDENTITY-001")


def test_a_token_reaches_no_further_than_its_scopes(caller):
    issued = caller.call("POST", "/principals/ada/tokens", "ada", json={"scopes": ["project.read"]}).json()
    body = problem(caller.call("POST", "/projects", issued["token"], json={"name": "x"}), 403, "TP-POLICY-020")
    assert "scopes" in body["why"]


def test_a_denial_is_on_record(peopled):
    problem(peopled.call("POST", "/projects", "consumer", json={"name": "mine"}), 403, "TP-POLICY-020")
    newest = peopled.call("GET", "/ledger/events", "ada", params={"limit": 1}).json()["items"][0]
    assert (newest["action"], newest["outcome"], newest["actor_name"]) == ("project.create", "denied", "consumer")


def test_a_body_that_is_wrong_is_not_quoted(caller):
    body = problem(caller.call("POST", "/projects", "ada", json={"name": {"secret": PASSWORD}}), 422, "TP-API-001")
    assert PASSWORD not in str(body)
    assert "body.name" in body["why"]


def test_a_password_that_is_too_long_is_not_quoted(caller):
    answer = caller.call("POST", "/sessions", json={"name": "ada", "password": "x" * 2000})
    assert "xxxx" not in str(problem(answer, 422, "TP-API-001"))


@pytest.mark.parametrize("path", ["/nothing", "/projects/credit/datasets/x/y/z"])
def test_an_unknown_path(caller, path):
    problem(caller.call("GET", path, "ada"), 404, "TP-API-002")


def test_an_unknown_thing_is_named_with_the_nearest(peopled):
    body = problem(peopled.call("GET", "/projects/credti", "ada"), 404, "TP-IDENTITY-008")
    assert "credit" in body["why"]


def test_a_repeated_creation_makes_nothing_twice(caller):
    key = {"Idempotency-Key": "one"}
    one, two = (caller.call("POST", "/projects", "ada", json={"name": "p"}, headers=key).json() for _ in range(2))
    assert one == two
    problem(caller.call("POST", "/projects", "ada", json={"name": "q"}, headers=key), 409, "TP-IDENTITY-011")
    bad = {"Idempotency-Key": "x" * 300}
    problem(caller.call("POST", "/projects", "ada", json={"name": "r"}, headers=bad), 400, "TP-API-003")


def test_wrong_passwords_close_the_door_for_a_while(peopled):
    from trustplane.values.clock import FixedClock

    peopled.plane.clock = FixedClock(peopled.plane.clock.now())
    for _ in range(6):
        wrong = peopled.call("POST", "/sessions", json={"name": "scientist", "password": "wrong"})
        problem(wrong, 401, "TP-IDENTITY-002")
    answer = peopled.call("POST", "/sessions", json={"name": "scientist", "password": PASSWORD})
    assert "seconds" in problem(answer, 429, "TP-IDENTITY-003")["detail"]


def test_lists_come_in_pages(peopled):
    first = peopled.call("GET", "/principals", "ada", params={"limit": 3}).json()
    rest = peopled.call("GET", "/principals", "ada", params={"limit": 100, "cursor": first["next"]}).json()
    names = [p["name"] for p in (*first["items"], *rest["items"])]
    assert len(first["items"]) == 3
    assert len(names) == len(set(names)) == 8
    assert rest["next"] is None


def test_lists_hold_only_what_one_may_see(peopled):
    assert [p["name"] for p in peopled.call("GET", "/principals", "scientist").json()["items"]] == ["scientist"]
    assert peopled.call("GET", "/projects", "consumer").json()["items"] == []


def test_the_public_log_is_open_and_the_rest_is_not(caller):
    assert caller.call("GET", "/log/checkpoint").is_success
    assert caller.call("GET", "/log/tile/0/000.p/1").status_code in {200, 404}
    for path in ("/log/tile/0/..%2f..%2fkeys", "/log/tile/entries/abc", "/log/tile/0/1"):
        assert caller.call("GET", path).status_code == 404


def test_every_answer_has_the_headers_of_caution(caller):
    answer = caller.call("GET", "/health")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_the_description_has_examples_and_problems(caller):
    schema = caller.call("GET", "/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    assert schema["components"]["schemas"]["NewView"]["examples"]
    assert all("default" in op["responses"] for ops in schema["paths"].values() for op in ops.values())


def test_doctor_looks_at_everything(caller):
    checks = {c["name"]: c["status"] for c in caller.call("GET", "/doctor", "ada").json()["checks"]}
    assert {"database", "keys", "objects", "ledger", "jobs", "policy", "sandbox sandlock"} <= set(checks)
    assert checks["keys"] == "ok"
