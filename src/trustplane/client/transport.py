"""An httpx transport that runs an ASGI application in this process and streams both ways.

httpx's own ASGI transport takes in whole bodies before it hands them on. Here a request's body is pulled as the application reads it, and
an answer's body is handed on as the application sends it, a few chunks ahead at most.
"""

import asyncio
import atexit
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import CancelledError, Future
from typing import Any

import httpx

Application = Callable[[dict[str, Any], Any, Any], Coroutine[Any, Any, None]]
_AHEAD = 4
"""Chunks of an answer that may wait for whoever reads it."""
_END = object()
_GRACE = 5.0
_CLOSED = "the client is closed"


class EmbeddedTransport(httpx.BaseTransport):
    """Runs ``application`` on a thread of its own, from its start-up until :meth:`close`.

    Raises what the application raises when it starts. Several threads may send requests at once.
    """

    def __init__(self, application: Application) -> None:
        self._application = application
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="trustplane-embedded", daemon=True)
        self._thread.start()
        self._lifespan = _Lifespan(application)
        self._lock = threading.Lock()
        self._open = True
        try:
            self._on_loop(self._lifespan.start())
        except BaseException:
            self._stop()
            raise
        atexit.register(self.close)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the application; return as soon as it has said status and headers."""
        exchange = _Exchange(request)
        running = self._begin(exchange.run(self._application))
        try:
            status, headers = self._on_loop(exchange.begun())
        except (httpx.ReadTimeout, KeyboardInterrupt):
            self.abandon(running)
            raise
        return httpx.Response(status, headers=headers, stream=_Body(self, exchange, running), request=request)

    def close(self) -> None:
        """End the application and its thread; again is harmless."""
        with self._lock:
            if not self._open:
                return
            self._open = False
            stopping = asyncio.run_coroutine_threadsafe(self._lifespan.stop(), self._loop)
        atexit.unregister(self.close)
        try:
            stopping.result()
        finally:
            self._stop()

    def _stop(self) -> None:
        self._open = False
        asyncio.run_coroutine_threadsafe(_cancel_the_rest(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def _on_loop(self, work: Coroutine[Any, Any, Any]) -> Any:
        try:
            return self._begin(work).result()
        except CancelledError:
            raise httpx.ReadError(_CLOSED) from None

    def _begin(self, work: Coroutine[Any, Any, Any]) -> "Future[Any]":
        with self._lock:
            if self._open:
                return asyncio.run_coroutine_threadsafe(work, self._loop)
        work.close()
        raise httpx.ReadError(_CLOSED)

    def next_chunk(self, exchange: "_Exchange") -> Any:
        """The next chunk of an answer, or the mark of its end."""
        return self._on_loop(exchange.chunk())

    def abandon(self, running: "Future[None]") -> None:
        """Stop the application's work on a request whose answer nobody reads any more."""
        with self._lock:
            if self._open and not running.done():
                self._loop.call_soon_threadsafe(running.cancel)


class _Body(httpx.SyncByteStream):
    def __init__(self, transport: EmbeddedTransport, exchange: "_Exchange", running: "Future[None]") -> None:
        self._transport = transport
        self._exchange = exchange
        self._running = running

    def __iter__(self) -> Iterator[bytes]:
        while (chunk := self._transport.next_chunk(self._exchange)) is not _END:
            yield chunk

    def close(self) -> None:
        self._transport.abandon(self._running)


class _Exchange:
    """One request and its answer, on the loop."""

    def __init__(self, request: httpx.Request) -> None:
        self._request = request
        self._source = iter(request.stream)  # type: ignore[arg-type] # a client that waits sends a stream that waits
        self._sent = False
        self._head: asyncio.Queue[Any] = asyncio.Queue(1)
        self._chunks: asyncio.Queue[Any] = asyncio.Queue(_AHEAD)
        self._started = False
        self._told = False
        self._finished = asyncio.Event()
        self._patience: float | None = request.extensions.get("timeout", {}).get("read")
        self._taken = 0

    async def run(self, application: Application) -> None:
        error: Exception | None = None
        try:
            await application(_scope(self._request), self._receive, self._send)
        except Exception as raised:  # noqa: BLE001 - whatever the application raises is told to whoever waits
            error = raised
        if not self._finished.is_set():
            short = "the answer was cut short" if self._started else "the application gave no answer"
            await self._tell(error or httpx.RemoteProtocolError(short))

    async def _tell(self, error: Exception) -> None:
        """Hand an error to whoever waits for the answer; the first one is the cause of what follows."""
        if not self._told:
            self._told = True
            await (self._chunks if self._started else self._head).put(error)

    async def begun(self) -> tuple[int, Any]:
        head = await self._within(self._head)
        if isinstance(head, Exception):
            raise head
        status, headers = head
        return status, headers

    async def chunk(self) -> Any:
        if self._finished.is_set() and self._chunks.empty():
            return _END
        chunk = await self._within(self._chunks)
        if isinstance(chunk, Exception):
            raise httpx.ReadError("the answer broke off") from chunk
        return chunk

    async def _within(self, queue: "asyncio.Queue[Any]") -> Any:
        """What comes next; while the application still takes in the request, it is not late with its answer."""
        while True:
            taken = self._taken
            try:
                return await asyncio.wait_for(queue.get(), self._patience)
            except TimeoutError:
                if taken == self._taken:
                    raise httpx.ReadTimeout("the application did not answer in time") from None

    async def _receive(self) -> dict[str, Any]:
        if self._sent:
            await self._finished.wait()
            return {"type": "http.disconnect"}
        # A body may wait for a disk or a pipe, so it is not read on the loop.
        try:
            chunk = await asyncio.get_running_loop().run_in_executor(None, next, self._source, None)
        except Exception as error:  # noqa: BLE001 - the sender's own error goes back to the sender; the application sees it leave
            self._sent = True
            await self._tell(error)
            return {"type": "http.disconnect"}
        self._sent = chunk is None
        self._taken += 1
        return {"type": "http.request", "body": chunk or b"", "more_body": not self._sent}

    async def _send(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._started = True
            await self._head.put((message["status"], message.get("headers", [])))
            return
        if body := message.get("body", b""):
            await self._chunks.put(bytes(body))
        if not message.get("more_body", False):
            self._finished.set()
            await self._chunks.put(_END)


async def _cancel_the_rest() -> None:
    """Whoever still waits for an answer is told that there will be none; a thread that does not end is not waited for long."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    if rest:
        await asyncio.wait(rest, timeout=_GRACE)


def _scope(request: httpx.Request) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.split(b"?")[0],
        "query_string": request.url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "server": (request.url.host, request.url.port),
        "client": ("127.0.0.1", 0),
        "state": {},
    }


class _Lifespan:
    """The application's start-up and shut-down, as its task sees them."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._said: asyncio.Queue[str] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        self._task = asyncio.ensure_future(self._application(scope, self._inbox.get, self._hear))
        await self._ask("startup")

    async def stop(self) -> None:
        await self._ask("shutdown")
        assert self._task is not None
        await self._task

    async def _hear(self, message: dict[str, Any]) -> None:
        await self._said.put(message["type"])

    async def _ask(self, phase: str) -> None:
        assert self._task is not None
        await self._inbox.put({"type": f"lifespan.{phase}"})
        answer = asyncio.ensure_future(self._said.get())
        await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done() or answer.result() != f"lifespan.{phase}.complete":
            answer.cancel()
            await self._task  # raises what went wrong
            raise httpx.TransportError(f"the application did not complete its {phase}")
