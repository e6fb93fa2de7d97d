"""The clients of the SDK's tests, and a browser without scripts."""

import httpx
import pytest
from tests.unit.client.conftest import *  # noqa: F403 - fixtures
from tests.unit.client.conftest import root  # noqa: F401 - a fixture

from trustplane.client.transport import EmbeddedTransport
from trustplane.console.session import COOKIE
from trustplane.kernel.identity.principals import open_session


@pytest.fixture
def look(root, plane, cast):  # noqa: F811 - the fixture
    """A page of the console, as somebody in a role sees it."""
    application = root._wire.http._transport._application

    def at(path, role="scientist"):
        secret = open_session(plane, cast[role]).secret
        with httpx.Client(
            transport=EmbeddedTransport(application), base_url="http://embedded", cookies={COOKIE: secret}
        ) as browser:
            return browser.get(f"/console{path}")

    return at
