"""The schema and its migrations (Alembic). A workspace opens only with the schema that this version knows."""

from importlib.resources import files

from sqlalchemy import inspect, text

from trustplane.kernel.store.engine import Database, store_error
from trustplane.values.errors import Unavailable

HEAD = "0013"
_MIGRATIONS = files("trustplane.kernel.store") / "migrations"


def current_revision(database: Database) -> str | None:
    """The revision that the database is at; None for an empty one."""
    with database.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return str(connection.scalar(text("SELECT version_num FROM alembic_version")))


def require_current(database: Database) -> None:
    """Raise unless the database is whole and has the schema of this version."""
    _require_whole(database)
    found = current_revision(database)
    if found != HEAD:
        have = "is empty" if found is None else f"is at revision {found}"
        raise Unavailable("TP-STORE-007", f"the database {have}; this version needs revision {HEAD}")


def require_known(database: Database) -> str:
    """The revision of the database; raise unless it is one that this version can bring forward."""
    from alembic.script import ScriptDirectory

    _require_whole(database)
    found = current_revision(database)
    known = [script.revision for script in ScriptDirectory(str(_MIGRATIONS)).walk_revisions()]
    if found is None or found not in known:
        have = "is empty" if found is None else f"is at revision {found[:40]!r}, of a later version"
        raise Unavailable("TP-STORE-007", f"the database {have}; this version knows {', '.join(known)}")
    return found


def _require_whole(database: Database) -> None:
    """Raise if the file does not end with a page: SQLite reads what is missing of the last one as zeroes, and says nothing."""
    if database.path is None or not database.path.is_file():
        return
    with database.path.open("rb") as file:
        header = file.read(100)
    page = int.from_bytes(header[16:18], "big")  # https://www.sqlite.org/fileformat.html section 1.3.2
    if header and database.path.stat().st_size % (65_536 if page == 1 else page or 1):
        raise store_error("TP-STORE-002")


def migrate(database: Database) -> None:
    """Bring the database forward to the schema of this version, in one transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    with database.connection() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
