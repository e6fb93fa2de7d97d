"""One connection to a plane: requests, answers and errors."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from trustplane.client.files import ORDINARY, whole
from trustplane.values.errors import (
    BadInput,
    Conflict,
    Denied,
    NotFound,
    Refused,
    Tampered,
    TrustplaneError,
    Unauthenticated,
    Unavailable,
    catalogue,
)

API = "/api/v1"
_FAMILIES: Mapping[int, type[TrustplaneError]] = {
    400: BadInput,
    401: Unauthenticated,
    403: Denied,
    404: NotFound,
    409: Conflict,
    410: Unavailable,
    413: BadInput,
    422: BadInput,
    429: Unauthenticated,
}


class Wire:
    """Speaks HTTP to one plane with one token."""

    def __init__(self, http: httpx.Client, shown: str) -> None:
        self.http = http
        self.shown = shown

    def __repr__(self) -> str:
        return f"Wire({self.shown!r})"

    def get(self, path: str, **params: Any) -> Any:
        """The JSON at a path."""
        return self._json("GET", path, params=_given(params))

    def post(self, path: str, body: object = None) -> Any:
        """What came of a POST; a repeated one after a broken connection makes nothing twice."""
        return self._json("POST", path, json=body)

    def put(self, path: str, body: object = None) -> Any:
        """What came of a PUT."""
        return self._json("PUT", path, json=body)

    def delete(self, path: str) -> Any:
        """What came of a DELETE; None where the answer has no body."""
        return self._json("DELETE", path)

    def upload(self, path: str, chunks: Iterator[bytes], params: Mapping[str, Any]) -> Any:
        """Send a body in chunks."""
        return self._json("PUT", path, params=_given(params), content=chunks)

    def text(self, path: str) -> str:
        """The text at a path."""
        with self._answering("GET", path) as answer:
            answer.read()
            return answer.text

    @contextmanager
    def stream(self, path: str, **params: Any) -> Iterator[httpx.Response]:
        """An answer whose body is read as it comes."""
        with self._answering("GET", path, params=_given(params)) as answer:
            yield answer

    @contextmanager
    def asked(self, path: str, body: object) -> Iterator[httpx.Response]:
        """The answer to a question in a body, read as it comes."""
        with self._answering("POST", path, json=body) as answer:
            yield answer

    def fetch(self, path: str, target: str | Path, *, mode: int = ORDINARY, **params: Any) -> Path:
        """Write what is at a path into a file, whole or not at all."""
        out = Path(target)
        with self.stream(path, **params) as answer, whole(out, mode) as file:
            for chunk in answer.iter_bytes():
                file.write(chunk)
        return out

    def pages(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        cursor = None
        while True:
            part = self.get(path, cursor=cursor, **params)
            if not isinstance(part, dict) or not part.keys() >= {"items", "next"}:
                raise strange("something that is no list", 200)
            yield from part["items"]
            cursor = part["next"]
            if cursor is None:
                return

    def _json(self, method: str, path: str, **said: Any) -> Any:
        with self._answering(method, path, **said) as answer:
            body = answer.read()
            try:
                return msgspec.json.decode(body) if body else None
            except (msgspec.DecodeError, RecursionError):
                raise strange("something that is not JSON", answer.status_code) from None

    def _request(self, method: str, url: str, headers: dict[str, str], said: Mapping[str, Any]) -> httpx.Request:
        try:
            return self.http.build_request(method, url, headers=headers, **said)
        except ValueError as error:
            # Not a number, infinity, or half of a character: the words could quote what was said.
            raise BadInput("TP-CLIENT-011", "the request cannot be written", why=type(error).__name__) from None

    @contextmanager
    def _answering(self, method: str, path: str, **said: Any) -> Iterator[httpx.Response]:
        headers = {} if method in {"GET", "DELETE"} else {"Idempotency-Key": str(uuid.uuid4())}
        url = path if path.startswith(("/v2", "/log")) else API + path
        request = self._request(method, url, headers, said)
        try:
            with closing(self.http.send(request, stream=True)) as answer:
                if not answer.is_success:
                    answer.read()
                    raise error_of(answer)
                yield answer
        except httpx.ConnectError:
            raise Unavailable("TP-CLIENT-001", f"{self.shown} does not answer") from None
        except httpx.TimeoutException:
            raise Unavailable("TP-CLIENT-001", f"{self.shown} did not answer in time") from None
        except httpx.TransportError as error:
            raise Unavailable("TP-CLIENT-001", f"the connection to {self.shown} broke", why=str(error)) from None


def segment(name: str) -> str:
    """A name as one segment of a path: whatever it holds, it reaches no other resource than the one of that name."""
    if name in {"", ".", ".."} or "/" in name:  # a server reads an escaped slash as a slash
        raise BadInput("TP-CLIENT-009", f"{name!r} names nothing")
    return quote(name, safe="", errors="replace")


def strange(what: str, status: int) -> Unavailable:
    """What to raise when the answer is none that this client knows."""
    return Unavailable("TP-CLIENT-002", f"the plane answered {what}", facts={"status": status})


def _given(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def error_of(answer: httpx.Response) -> TrustplaneError:
    """The error that an answer tells of, in the family that its status says."""
    try:
        body = msgspec.json.decode(answer.content, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        body = {}
    if isinstance(body.get("error"), dict):  # the inference protocol has its own form
        body = body["error"]
    code = body.get("code")
    what = str(body.get("what") or body.get("detail") or body.get("message") or f"status {answer.status_code}")
    if not isinstance(code, str) or code not in catalogue():
        return Unavailable("TP-CLIENT-002", f"the plane answered: {what}", facts={"status": answer.status_code})
    family = _BY_CODE.get(code) or _FAMILIES.get(answer.status_code, Unavailable)
    return family(
        code,
        what,
        why=str(body.get("why", "")),
        fix=str(body.get("fix", "")),
        facts=body.get("facts") if isinstance(body.get("facts"), dict) else None,
    )


_TAMPERED = (
    *("TP-ASSESS-005", "TP-LEDGER-001", "TP-LEDGER-003", "TP-LEDGER-004", "TP-LEDGER-008", "TP-LEDGER-011"),
    *("TP-LEDGER-013", "TP-LEDGER-016", "TP-LEDGER-017", "TP-LEDGER-018", "TP-LEDGER-022", "TP-PLANE-005"),
    *(
        "TP-DATA-063",
        "TP-DATA-137",
        "TP-DATA-083",
        "TP-RELEASE-008",
        "TP-RUN-056",
        "TP-SERVING-008",
        "TP-VAULT-001",
        "TP-VAULT-011",
        "TP-VAULT-014",
        "TP-VAULT-017",
    ),
)
_REFUSED = (
    *("TP-GATE-001", "TP-GATE-002", "TP-MONITOR-001", "TP-RELEASE-002", "TP-RELEASE-003", "TP-RELEASE-005"),
    *("TP-RELEASE-010", "TP-RELEASE-011", "TP-ROLLOUT-001", "TP-RUN-006", "TP-RUN-017", "TP-SERVING-004"),
    *("TP-JOB-006", "TP-VAULT-009", "TP-VAULT-018", "TP-VAULT-021", "TP-DATA-073", "TP-DATA-076", "TP-DATA-111"),
    *(
        "TP-DATA-112",
        "TP-DATA-113",
        "TP-DATA-047",
        "TP-DATA-121",
        "TP-DATA-123",
        "TP-DATA-125",
        "TP-DATA-133",
        "TP-ASSESS-020",
        "TP-ASSESS-023",
        "TP-RELEASE-020",
        "TP-RELEASE-027",
        "TP-RELEASE-028",
        "TP-RUN-061",
        "TP-RUN-062",
    ),
)
_BY_CODE: Mapping[str, type[TrustplaneError]] = dict.fromkeys(_TAMPERED, Tampered) | dict.fromkeys(_REFUSED, Refused)
"""Where the status does not tell the family."""
