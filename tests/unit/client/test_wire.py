"""One connection: paths that reach what they name, answers of other planes, and errors without secrets."""

import ast
import http.server
import threading
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import trustplane
from trustplane.client.connection import Client, connect
from trustplane.client.wire import Wire, error_of, segment
from trustplane.values.errors import FAMILIES, BadInput, NotFound, Unauthenticated, Unavailable, catalogue

TOKEN = "tp_" + "Q" * 43


def wire_of(answer):
    """A wire to whatever ``answer`` answers."""
    return Wire(httpx.Client(transport=httpx.MockTransport(answer), base_url="http://plane"), "the plane")


def saying(*args, **said):
    """A wire whose every answer is the same."""
    return wire_of(lambda _request: httpx.Response(*args, **said))


@given(st.text(min_size=1).filter(lambda name: name not in {".", ".."} and "/" not in name))
def test_a_name_is_one_segment_whatever_it_holds(name):
    seen = []

    def answer(request):
        seen.append(request.url)
        return httpx.Response(200, json={})

    wire_of(answer).get(f"/views/{segment(name)}")
    assert seen[0].raw_path.startswith(b"/api/v1/views/")
    assert seen[0].raw_path.count(b"/") == 4
    assert seen[0].query == b""
    assert seen[0].fragment == ""


@pytest.mark.parametrize("name", ["", ".", "..", "/", "../whoami", "credit/environments", "v/"])
def test_a_name_that_means_a_folder_is_refused(name):
    with pytest.raises(BadInput) as told:
        segment(name)
    assert told.value.code == "TP-CLIENT-009"


@pytest.mark.parametrize("content", [b"<html>Welcome to the hotel</html>", b"[" * 100_000, b"\xff\xfe", b"{"])
def test_a_page_in_place_of_the_plane_is_no_answer(content):
    with pytest.raises(Unavailable) as told:
        saying(200, content=content).get("/whoami")
    assert told.value.code == "TP-CLIENT-002"
    assert "hotel" not in str(told.value)


@pytest.mark.parametrize("content", [b"[]", b"{}", b'"x"', b"null", b"", b'{"items": []}'])
def test_a_list_that_is_none_is_no_answer(content):
    with pytest.raises(Unavailable) as told:
        list(saying(200, content=content).pages("/projects"))
    assert told.value.code == "TP-CLIENT-002"


@pytest.mark.parametrize("status", [301, 302, 307, 308, 304])
def test_a_token_does_not_follow_a_redirection(status):
    """It would be sent to wherever a stranger points."""
    seen = []

    def answer(request):
        seen.append(request.url.host)
        return httpx.Response(status, headers={"location": "http://elsewhere.example/"})

    http = httpx.Client(
        transport=httpx.MockTransport(answer), base_url="http://plane", headers={"Authorization": TOKEN}
    )
    with pytest.raises(Unavailable) as told:
        Client(http, "the plane", "the plane").whoami()
    assert told.value.code == "TP-CLIENT-002"
    assert seen == ["plane"]


def test_an_answer_without_a_body_is_none():
    assert saying(204).delete("/x") is None


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_what_json_cannot_say_is_not_sent(value):
    sent = []
    wire = wire_of(lambda request: sent.append(request) or httpx.Response(200, json={}))
    with pytest.raises(BadInput) as told:
        wire.post("/x", {"secret-key": value})
    assert told.value.code == "TP-CLIENT-011"
    assert "secret" not in str(told.value)
    assert sent == []


@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError, httpx.PoolTimeout]
)
def test_every_way_a_connection_breaks_has_one_code(error):
    def answer(request):
        raise error("broke", request=request)

    with pytest.raises(Unavailable) as told:
        wire_of(answer).get("/x")
    assert told.value.code == "TP-CLIENT-001"
    assert "the plane" in told.value.what


@pytest.mark.parametrize("token", [TOKEN + "\r\nX-Evil: 1", TOKEN + "é", TOKEN + "\x00", "\u202e" + TOKEN])
def test_a_token_that_cannot_stand_in_a_header_is_not_told(token):
    with pytest.raises(Unauthenticated) as told:
        connect("https://plane.example", token=token)
    assert told.value.code == "TP-IDENTITY-001"
    assert "QQQ" not in str(told.value) + repr(told.value)


def test_the_inference_protocols_own_form_of_errors_is_read():
    body = {"error": {"code": "TP-IDENTITY-001", "message": "a token is needed", "why": "none was sent"}}
    with pytest.raises(Unauthenticated) as told:
        saying(401, json=body).post("/v2/models/x/infer", {})
    assert (told.value.what, told.value.why) == ("a token is needed", "none was sent")


@pytest.fixture
def gateway():
    """A server that is no plane: every answer is a page that says 502."""

    class Bad(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            page = b"<html><h1>502 Bad Gateway</h1></html>"
            self.send_response(502)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bad) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_gateway_whose_plane_is_down(gateway):
    with connect(gateway, token=TOKEN) as client, pytest.raises(Unavailable) as told:
        client.whoami()
    assert told.value.code == "TP-CLIENT-002"
    assert told.value.facts == {"status": 502}
    assert TOKEN not in str(told.value) + repr(told.value)


def test_a_strange_name_is_not_found_and_is_nothing_else(root, ask):
    owner = ask("owner")
    for name in (
        "credit?x=1",
        "credit#x",
        "cre dit",
        "crédit",
        "漢\n字",
        "%2e%2e",
        "..%2fwhoami",
        "credit%2fenvironments",
    ):
        with pytest.raises(NotFound) as told:
            owner.project(name).get()
        assert told.value.code == "TP-IDENTITY-008"
    with pytest.raises(Unauthenticated):
        root.project("credit").get()


def raised():
    """Every code that the source names when it makes an error, with the families it makes."""
    families = {family.__name__: family for family in FAMILIES}
    found = {}
    for file in Path(trustplane.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in families
                and node.args
            ):
                code = getattr(node.args[0], "value", None)
                if code in catalogue():
                    found.setdefault(code, set()).add(families[node.func.id])
    return found


def test_an_error_is_of_the_same_family_here_as_there():
    """Whoever catches a family over the SDK catches what the stage raised. Those without a way through the API are left out."""
    elsewhere = {"TP-CLI-001", "TP-CONSOLE-001", "TP-VAULT-010"}
    found = raised()
    assert len(found) > 150
    wrong = {
        code: (got.__name__, [f.__name__ for f in made])
        for code, made in found.items()
        if (got := type(error_of(httpx.Response(catalogue()[code].status, json={"code": code})))) not in made
    }
    assert set(wrong) <= elsewhere, wrong


def test_a_server_that_broke_is_unavailable():
    with pytest.raises(Unavailable) as told:
        saying(500, json={"code": "TP-API-004", "detail": "the server broke"}).get("/x")
    assert told.value.code == "TP-API-004"
