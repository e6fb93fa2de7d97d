"""Every module can be imported in a fresh interpreter."""

import pkgutil
import subprocess
import sys

import trustplane

LIBRARIES = (
    "alembic.command", "cedarpy", "cryptography.hazmat.primitives.ciphers.aead", "fastapi.responses", "httpx", "jinja2",
    "msgspec", "numpy", "pyarrow.compute", "pyarrow.parquet.encryption", "pydantic_settings", "rich.console", "sqlalchemy.orm", "typer",
)  # fmt: skip


def test_every_module_imports_on_its_own() -> None:
    """Importing each module first, in an interpreter of its own, finds cycles that an import order hides.

    Libraries are imported before the interpreter forks: they take nearly all the time, and hide no cycle of ours.
    """
    names = [m.name for m in pkgutil.walk_packages(trustplane.__path__, "trustplane.") if not _a_script(m.name)]
    script = (
        "import importlib, os, sys\n"
        f"for name in {LIBRARIES!r}:\n"
        "    importlib.import_module(name)\n"
        "for name in sys.argv[1:]:\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        try:\n"
        "            importlib.import_module(name)\n"
        "        except BaseException as error:\n"
        "            print(name, type(error).__name__, error, flush=True)\n"
        "            os._exit(1)\n"
        "        os._exit(0)\n"
        "    if os.waitpid(pid, 0)[1]:\n"
        "        sys.exit(1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *names], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _a_script(name: str) -> bool:
    return name.endswith((".__main__", "examples.credit.train")) or ".migrations." in name
