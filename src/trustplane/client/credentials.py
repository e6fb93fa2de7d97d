"""Where tokens are kept: a file that only this user can read, by plane."""

import json
import os
from pathlib import Path
from typing import Any

from trustplane.values.errors import BadInput

FILE = "credentials.json"


def place(target: str | Path) -> Path:
    """The file for a plane: in the workspace's own folder, or for a URL in the user's configuration."""
    if isinstance(target, Path):
        return target / FILE
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "trustplane" / FILE


def load(target: str | Path, user: str | None = None) -> str | None:
    """The token for a plane: of ``user``, or of whoever logged in last."""
    kept = _read(place(target)).get(_key(target), {})
    name = user or kept.get("last")
    token = kept.get("tokens", {}).get(name) if name else None
    return token if isinstance(token, str) else None


def save(target: str | Path, user: str, token: str, *, last: bool = True) -> Path:
    """Keep a token; return the file."""
    file = place(target)
    body = _read(file)
    kept = body.setdefault(_key(target), {"tokens": {}, "last": user})
    kept["tokens"][user] = token
    if last:
        kept["last"] = user
    _write(file, body)
    return file


def forget(target: str | Path, user: str | None = None) -> str | None:
    """Forget a token, and return it."""
    file = place(target)
    body = _read(file)
    kept = body.get(_key(target), {"tokens": {}})
    name = user or kept.get("last")
    token = kept["tokens"].pop(name, None) if name else None
    if kept.get("last") == name:
        kept["last"] = next(iter(kept["tokens"]), None)
    _write(file, body)
    return token if isinstance(token, str) else None


def _key(target: str | Path) -> str:
    return "workspace" if isinstance(target, Path) else target.rstrip("/")


def _read(file: Path) -> dict[str, Any]:
    try:
        body = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise BadInput("TP-CLIENT-004", f"{file} cannot be read") from None
    if not isinstance(body, dict):
        raise BadInput("TP-CLIENT-004", f"{file} cannot be read")
    return body


def _write(file: Path, body: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump(body, out, indent=2)
        out.write("\n")
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)
