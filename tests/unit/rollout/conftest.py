"""A version that is ready for release."""

from tests.unit.release.conftest import (  # noqa: F401 - fixtures
    assessed,
    fetch,
    made_run,
    made_version,
    newest,
    person,
    ready,
    remembered,
)
