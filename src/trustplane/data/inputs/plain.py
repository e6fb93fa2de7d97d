"""Columns of strangers as plain ones: dictionaries decoded, nested and unknown types refused."""

from typing import Any

import pyarrow as pa

from trustplane.values.errors import BadInput

_PLAIN_TYPES = (
    *("is_integer", "is_floating", "is_decimal", "is_boolean", "is_date", "is_time", "is_timestamp", "is_null"),
    *("is_string", "is_large_string", "is_string_view"),
    *("is_binary", "is_large_binary", "is_binary_view", "is_fixed_size_binary"),
)


def plain_schema(schema: Any) -> Any:
    """The schema with dictionaries decoded; raise for nested and unknown types, all of them named at once."""
    nested = [field.name for field in schema if not _is_plain(_value_type(field.type))]
    if nested:
        shown = ", ".join(repr(name[:80]) for name in nested[:20])
        raise BadInput("TP-DATA-014", f"these columns are nested or of a type that tables here do not have: {shown}")
    return pa.schema([pa.field(field.name, _plain_type(_value_type(field.type))) for field in schema])


def _value_type(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_plain(kind: Any) -> bool:
    return any(getattr(pa.types, test)(kind) for test in _PLAIN_TYPES)


def _plain_type(kind: Any) -> Any:
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.binary()
    return kind


def plain(array: Any, field: Any) -> Any:
    decoded = array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
    return decoded if decoded.type == field.type else decoded.cast(field.type)
