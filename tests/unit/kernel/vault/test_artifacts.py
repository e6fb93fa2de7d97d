"""Artifacts belong to one thing, and cannot be read back as another's."""

from datetime import UTC, datetime

import pytest

from trustplane.kernel.vault.artifacts import seal, unseal
from trustplane.kernel.vault.blobs import BlobStore
from trustplane.kernel.vault.keys import fresh
from trustplane.values.digests import sha256
from trustplane.values.errors import Tampered


def test_an_artifact_belongs_to_its_subject(tmp_path):
    store, key = BlobStore(str(tmp_path)), fresh("key")
    made = seal(store, key, [b"model ", b"bytes"], "model-version:1", datetime(2026, 1, 1, tzinfo=UTC))
    assert (made.sha256, made.size) == (sha256(b"model bytes"), 11)
    assert made.digest != made.sha256
    assert b"".join(unseal(store, key, made.digest, "model-version:1")) == b"model bytes"
    with pytest.raises(Tampered):
        b"".join(unseal(store, key, made.digest, "model-version:2"))
