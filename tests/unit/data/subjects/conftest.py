"""Requests of people in a small dataset."""

import pytest

from trustplane.data.blind_index import Identifier
from trustplane.data.subjects.erasure import start_erasure
from trustplane.data.subjects.requests import RequestSpec, open_request, verify_identity


@pytest.fixture
def steward(cast):
    """The data steward."""
    return cast["data-steward"]


@pytest.fixture
def asked(plane, steward, clients):
    """Open a request of somebody who was identified; ``C00007`` wants to be erased unless something else is said."""

    def make(kind="erasure", *values, verified=True):
        identifiers = tuple(Identifier(v) for v in values or ("C00007",))
        request = open_request(plane, steward, "credit", RequestSpec(kind, identifiers))
        if verified:
            verify_identity(plane, steward, "credit", request, "passport shown at the counter")
        return request

    return make


@pytest.fixture
def erased(plane, steward):
    """Erase the person of a request, and wait until it is done."""

    def erase(request):
        job = start_erasure(plane, steward, "credit", request)
        return plane.jobs.wait(job, timeout=60).returned()

    return erase
