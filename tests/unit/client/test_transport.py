"""The embedded transport streams both ways, a few chunks ahead at most, and tells of what goes wrong."""

import asyncio
import threading
import tracemalloc

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trustplane.client.transport import EmbeddedTransport

CHUNK = bytes(64 * 1024)


def lifespan(application):
    """The application with a start-up and a shut-down that complete."""

    async def whole(scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await application(scope, receive, send)

    return whole


async def begin(send, status=200, headers=()):
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})


@pytest.fixture
def client_of():
    """A client of an application; closed at the end."""
    made = []

    def make(application):
        client = httpx.Client(
            transport=EmbeddedTransport(lifespan(application)), base_url="http://embedded", timeout=10
        )
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


def test_a_request_arrives_whole(client_of):
    seen = {}

    async def application(scope, receive, send):
        seen.update(scope)
        body = b""
        while True:
            message = await receive()
            body += message["body"]
            if not message["more_body"]:
                break
        await begin(send, 201, [(b"x-size", str(len(body)).encode())])
        await send({"type": "http.response.body", "body": body[::-1]})

    answer = client_of(application).post("/a%20b?q=1&q=2", content=b"abc", headers={"X-Own": "1"})
    assert (answer.status_code, answer.headers["x-size"], answer.content) == (201, "3", b"cba")
    assert (seen["method"], seen["path"], seen["raw_path"], seen["query_string"]) == (
        "POST",
        "/a b",
        b"/a%20b",
        b"q=1&q=2",
    )
    assert (b"x-own", b"1") in seen["headers"]


def test_a_large_upload_takes_little_memory(client_of):
    """200 MB go up a chunk at a time: the sender is never more than a chunk ahead of the application."""
    sent = received = ahead = 0

    async def application(scope, receive, send):
        nonlocal received
        while True:
            message = await receive()
            received += len(message["body"])
            if not message["more_body"]:
                break
        await begin(send)
        await send({"type": "http.response.body", "body": b""})

    def chunks():
        nonlocal sent, ahead
        for _ in range(3200):
            sent += len(CHUNK)
            ahead = max(ahead, sent - received)
            yield CHUNK

    client = client_of(application)
    tracemalloc.start()
    assert client.put("/", content=chunks()).status_code == 200
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert received == sent == 3200 * len(CHUNK)
    assert ahead <= 2 * len(CHUNK)
    assert peak < 5_000_000


def test_a_large_answer_takes_little_memory(client_of):
    """The application is stopped while nobody reads."""
    produced = consumed = ahead = 0

    async def application(scope, receive, send):
        nonlocal produced
        await begin(send)
        for _ in range(1600):
            produced += len(CHUNK)
            await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    with client_of(application).stream("GET", "/") as answer:
        for chunk in answer.iter_raw():
            ahead = max(ahead, produced - consumed)
            consumed += len(chunk)
    assert consumed == produced == 1600 * len(CHUNK)
    assert ahead <= 8 * len(CHUNK)


def test_an_answer_may_begin_before_the_request_has_ended(client_of):
    async def application(scope, receive, send):
        await begin(send, 413)
        await send({"type": "http.response.body", "body": b"too much"})

    answer = client_of(application).put("/", content=(CHUNK for _ in range(10**9)))
    assert (answer.status_code, answer.content) == (413, b"too much")


def test_closing_an_answer_early_stops_the_application(client_of):
    ended = threading.Event()

    async def application(scope, receive, send):
        try:
            await begin(send)
            while True:
                await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
        finally:
            ended.set()

    with client_of(application).stream("GET", "/") as answer:
        next(answer.iter_raw())
    assert ended.wait(10)


def test_a_body_that_breaks_off_is_the_senders_own_error(client_of):
    """The application sees the sender leave, as it would over a socket."""
    seen = []

    async def application(scope, receive, send):
        while (message := await receive())["type"] == "http.request":
            seen.append(message["body"])
        seen.append(message["type"])

    def broken():
        yield b"half"
        raise FileNotFoundError("gone")

    with pytest.raises(FileNotFoundError):
        client_of(application).put("/", content=broken())
    assert seen == [b"half", "http.disconnect"]


def test_an_application_that_breaks_before_its_answer(client_of):
    async def application(scope, receive, send):
        raise ZeroDivisionError("inside")

    with pytest.raises(ZeroDivisionError):
        client_of(application).get("/")


def test_an_application_that_breaks_within_its_answer(client_of):
    async def application(scope, receive, send):
        await begin(send)
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise ZeroDivisionError("inside")

    with pytest.raises(httpx.ReadError), client_of(application).stream("GET", "/") as answer:
        list(answer.iter_raw())


def test_an_application_that_gives_no_answer(client_of):
    async def application(scope, receive, send):
        return

    with pytest.raises(httpx.RemoteProtocolError):
        client_of(application).get("/")


def test_an_answer_that_is_cut_short(client_of):
    async def application(scope, receive, send):
        await begin(send)
        await send({"type": "http.response.body", "body": b"half", "more_body": True})

    with pytest.raises(httpx.ReadError), client_of(application).stream("GET", "/") as answer:
        list(answer.iter_raw())


def test_many_threads_ask_at_once(client_of):
    async def application(scope, receive, send):
        await begin(send)
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    client = client_of(application)
    answers = {}

    def ask(n):
        answers[n] = client.get(f"/{n}").text

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {n: f"/{n}" for n in range(32)}


def test_a_start_up_that_fails_is_told():
    async def application(scope, receive, send):
        await receive()
        raise ZeroDivisionError("at start")

    with pytest.raises(ZeroDivisionError):
        EmbeddedTransport(application)


def test_a_closed_client_says_so(client_of):
    async def application(scope, receive, send):
        await begin(send)
        await send({"type": "http.response.body", "body": b""})

    transport = EmbeddedTransport(lifespan(application))
    transport.close()
    transport.close()
    with pytest.raises(httpx.TransportError, match="closed"):
        transport.handle_request(httpx.Request("GET", "http://embedded/"))


def test_the_same_through_a_socket(client_of):
    """What the embedded transport gives is what a server gives."""
    import uvicorn

    async def application(scope, receive, send):
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
        await begin(send, 202, [(b"content-type", b"text/plain"), (b"x-path", scope["raw_path"])])
        for start in range(0, len(body), 5):
            await send({"type": "http.response.body", "body": body[start : start + 5], "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    server = uvicorn.Server(uvicorn.Config(lifespan(application), port=0, log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        answers = []
        for client in (client_of(application), httpx.Client(base_url=f"http://127.0.0.1:{port}")):
            answer = client.post("/a%2Fb", content=(part for part in (b"one", b"two", b"three")))
            answers.append(
                (answer.status_code, answer.content, answer.headers["x-path"], answer.headers["content-type"])
            )
            client.close()
    finally:
        server.should_exit = True
        thread.join()
    assert answers[0] == answers[1] == (202, b"onetwothree", "/a%2Fb", "text/plain")


def test_an_application_that_never_answers_is_late(client_of):
    """It is stopped too: nobody will read what it would say."""
    stopped = threading.Event()

    async def application(scope, receive, send):
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    with pytest.raises(httpx.ReadTimeout):
        client_of(application).get("/", timeout=0.05)
    assert stopped.wait(10)


def test_an_application_that_falls_silent_within_its_answer_is_late(client_of):
    stopped = threading.Event()

    async def application(scope, receive, send):
        try:
            await begin(send)
            await send({"type": "http.response.body", "body": b"half", "more_body": True})
            await asyncio.Event().wait()
        finally:
            stopped.set()

    client = client_of(application)
    got = []

    def read():
        with client.stream("GET", "/", timeout=0.05) as answer:
            got.extend(answer.iter_raw())

    with pytest.raises(httpx.ReadTimeout):
        read()
    assert got == [b"half"]
    assert stopped.wait(10)


def test_an_application_that_takes_in_a_long_request_is_not_late(client_of):
    """The patience with the answer begins anew with every chunk of the request, as it does over a socket."""
    late = threading.Event()

    async def application(scope, receive, send):
        while (await receive())["more_body"]:
            pass
        await begin(send)
        await send({"type": "http.response.body", "body": b"all of it"})

    def chunks():
        for _ in range(20):
            late.wait(0.1)
            yield b"x"

    assert client_of(application).put("/", content=chunks(), timeout=1.0).text == "all of it"


def test_closing_while_another_thread_waits_tells_it(client_of):
    """It is told that there will be no answer, and does not wait for ever."""
    arrived = threading.Event()
    told = []

    async def application(scope, receive, send):
        arrived.set()
        await asyncio.Event().wait()

    client = client_of(application)

    def ask():
        try:
            client.get("/", timeout=None)
        except httpx.TransportError as error:
            told.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert arrived.wait(10)
    client._transport.close()
    thread.join(20)
    assert not thread.is_alive()
    assert "closed" in str(told[0])


def test_an_answer_that_is_read_after_closing_says_so(client_of):
    async def application(scope, receive, send):
        await begin(send)
        while True:
            await send({"type": "http.response.body", "body": CHUNK, "more_body": True})

    client = client_of(application)
    with client.stream("GET", "/") as answer:
        chunks = answer.iter_raw()
        next(chunks)
        client._transport.close()
        with pytest.raises(httpx.ReadError, match="closed"):
            list(chunks)


def test_an_application_that_reads_nothing_pulls_nothing(client_of):
    """A request's body is not touched before the application asks for it."""
    touched = []

    async def application(scope, receive, send):
        await begin(send, 401)
        await send({"type": "http.response.body", "body": b"no"})

    def chunks():
        touched.append(True)
        yield CHUNK

    assert client_of(application).put("/", content=chunks()).status_code == 401
    assert touched == []


@given(
    st.lists(st.binary(max_size=300), max_size=20),
    st.integers(200, 599).filter(lambda s: s not in {204, 304}),
    st.lists(st.binary(max_size=300), max_size=20),
)
def test_what_goes_in_comes_out(asked, status, answered):
    """Whatever the pieces, the bytes are the same on both sides."""
    seen = []

    async def application(scope, receive, send):
        while True:
            message = await receive()
            seen.append(message["body"])
            if not message["more_body"]:
                break
        await begin(send, status)
        for piece in answered:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body"})

    with httpx.Client(transport=EmbeddedTransport(lifespan(application)), base_url="http://embedded") as client:
        answer = client.post("/", content=iter(asked))
    assert b"".join(seen) == b"".join(asked)
    assert (answer.status_code, answer.content) == (status, b"".join(answered))
