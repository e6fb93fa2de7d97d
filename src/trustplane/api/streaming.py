"""Bodies as they come: a request's chunks for code that is not asynchronous, in bounded memory."""

from collections.abc import Iterator

import anyio.from_thread
from fastapi import Request
from starlette.requests import ClientDisconnect

from trustplane.values.errors import BadInput


def chunks_of(request: Request) -> Iterator[bytes]:
    """The body's chunks, pulled one by one from within a worker thread."""
    stream = request.stream().__aiter__()

    async def following() -> bytes | None:
        try:
            return await anext(stream)
        except StopAsyncIteration:
            return None

    while True:
        try:
            chunk = anyio.from_thread.run(following)
        except ClientDisconnect:
            raise BadInput("TP-API-005", "the upload was cut short") from None
        if chunk is None:
            return
        if chunk:
            yield chunk
