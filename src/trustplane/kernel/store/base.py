"""What every table stands on: the declarative base, column types that mean the same on both databases, and governed rows."""

import hashlib
from datetime import UTC, datetime
from typing import Any, ClassVar

import rfc8785
from sqlalchemy import DateTime, Dialect, MetaData, inspect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import JSON, TypeDecorator

from trustplane.values.clock import rfc3339

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """An aware moment in UTC, to the microsecond. SQLite has no zones: there it is stored as UTC without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the type's signature
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """The base of every table of the product."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: Instant(), dict[str, Any]: JSON(), list[str]: JSON()}


class Governed:
    """Marks a table whose every row change is an event.

    The unit of work collects changed rows of such tables, and the event of the operation carries a digest of each, so that
    ``ledger verify`` finds a row that was changed, deleted or added behind the log's back. Columns in ``__volatile__`` (a last-use time)
    change without an event and stand outside the digest.
    """

    __volatile__: ClassVar[frozenset[str]] = frozenset()


def row_key(row: Base) -> str:
    """``table:primary key`` of a row."""
    mapper = inspect(type(row))
    key = "/".join(str(getattr(row, mapper.get_property_by_column(c).key)) for c in mapper.primary_key)
    return f"{row.__tablename__}:{key}"


def row_digest(row: Base) -> str:
    """SHA-256 over the RFC 8785 form of a governed row's columns, as 64 hex digits."""
    volatile = row.__volatile__ if isinstance(row, Governed) else frozenset()
    mapper = inspect(type(row))
    cells = {a.key: _plain(getattr(row, a.key)) for a in mapper.column_attrs if a.key not in volatile}
    return hashlib.sha256(rfc8785.dumps(cells)).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        return str(value)
    return value
