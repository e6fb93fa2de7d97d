"""Versions of a model, for reports about a project that has some."""

from tests.unit.release.conftest import (  # noqa: F401 - fixtures
    assessed,
    fetch,
    made_run,
    made_version,
    newest,
    ready,
    remembered,
)
