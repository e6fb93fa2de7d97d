"""Signatures of model versions, read by code that shares nothing with what writes them."""

import base64
import copy
import hashlib
import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.release.conftest import FEATURES, graph

from trustplane.kernel.operation import AccessDenied
from trustplane.release.signing import (
    key_id,
    model_public_key,
    pae,
    public_pem,
    sign_statement,
    sign_version,
    verify_signature,
    verify_version,
)
from trustplane.release.tables import ModelVersion
from trustplane.values.errors import Conflict, Tampered

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ARTIFACT = "sha256:" + hashlib.sha256(b"a model").hexdigest()
STATEMENT = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [{"name": "risk-1.onnx", "digest": {"sha256": ARTIFACT.removeprefix("sha256:")}}],
    "predicateType": "urn:trustplane:model-manifest:1",
    "predicate": {"note": "übermäßig"},
}


def opened(envelope, pem: str) -> dict:
    """The statement of a DSSE envelope (DSSE v1: protocol.md), by the cryptography library alone."""
    kind, payload = envelope["payloadType"].encode(), base64.standard_b64decode(envelope["payload"])
    signed = b" ".join((b"DSSEv1", b"%d" % len(kind), kind, b"%d" % len(payload), payload))
    key = load_pem_public_key(pem.encode())
    (signature,) = envelope["signatures"]
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert signature["keyid"] == hashlib.sha256(der).hexdigest()
    key.verify(base64.standard_b64decode(signature["sig"]), signed)
    return json.loads(payload)


def refused(envelope, why: str = "", sha256: str = ARTIFACT) -> None:
    with pytest.raises(Tampered) as caught:
        verify_signature(envelope, KEY.public_key(), sha256)
    assert caught.value.code == "TP-RELEASE-008"
    assert why in caught.value.why


def test_the_pre_authentication_encoding_is_that_of_the_specification():
    # The example of DSSE v1, protocol.md, "Test vectors".
    assert (
        pae("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("", b"") == b"DSSEv1 0  0 "


@given(st.text(max_size=20), st.binary(max_size=40), st.text(max_size=20), st.binary(max_size=40))
def test_two_things_never_have_one_encoding(kind, payload, other_kind, other):
    same = (kind, payload) == (other_kind, other)
    assert (pae(kind, payload) == pae(other_kind, other)) is same


def test_what_is_signed_verifies():
    assert verify_signature(sign_statement(KEY, STATEMENT), KEY.public_key(), ARTIFACT) == STATEMENT


@given(st.data())
def test_any_changed_character_of_the_payload_or_the_signature_is_found(data):
    envelope = sign_statement(KEY, STATEMENT)
    place = data.draw(st.sampled_from(("payload", "sig")))
    holder = envelope if place == "payload" else envelope["signatures"][0]
    raw = bytearray(base64.b64decode(holder[place]))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    holder[place] = base64.b64encode(raw).decode()
    refused(envelope, "does not fit")


def test_an_envelope_of_another_key_is_refused_even_under_this_keys_id():
    stranger = sign_statement(Ed25519PrivateKey.generate(), STATEMENT)
    refused(stranger, "not signed by the plane's key")
    stranger["signatures"][0]["keyid"] = key_id(KEY.public_key())
    refused(stranger, "does not fit")


def test_a_signature_over_the_bare_payload_is_refused():
    envelope = sign_statement(KEY, STATEMENT)
    bare = KEY.sign(base64.b64decode(envelope["payload"]))
    envelope["signatures"][0]["sig"] = base64.b64encode(bare).decode()
    refused(envelope, "does not fit")


def test_a_statement_about_another_artifact_is_refused():
    refused(sign_statement(KEY, STATEMENT), "another artifact", sha256="sha256:" + "0" * 64)
    for subject in ([], STATEMENT["subject"] * 2, [{"name": "x", "digest": {"sha512": "1"}}]):
        refused(sign_statement(KEY, {**STATEMENT, "subject": subject}), "another artifact")
    refused(sign_statement(KEY, {**STATEMENT, "_type": "https://in-toto.io/Statement/v0.1"}), "another artifact")


@pytest.mark.parametrize(
    "change",
    [
        {"payloadType": "application/json"},
        {"payloadType": None},
        {"payload": "not base64!"},
        {"payload": "AAA"},
        {"payload": "é"},
        {"payload": None},
        {"payload": 7},
        {"signatures": None},
        {"signatures": []},
        {"signatures": ["sig"]},
        {"signatures": [{}]},
        {"signatures": [{"keyid": key_id(KEY.public_key())}]},
        {"signatures": [{"keyid": key_id(KEY.public_key()), "sig": "é"}]},
        {"signatures": [{"keyid": key_id(KEY.public_key()), "sig": ""}]},
    ],
)
def test_an_envelope_that_cannot_be_read_is_refused(change):
    refused({**sign_statement(KEY, STATEMENT), **change})


def test_an_empty_envelope_is_refused():
    refused({})


def test_a_signed_version_verifies_without_this_product(plane, cast, made_version, fetch, newest):
    version = made_version()
    envelope = sign_version(plane, cast["scientist"], version)
    statement = opened(envelope, public_pem(plane))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "urn:trustplane:model-manifest:1"
    (subject,) = statement["subject"]
    assert subject == {"name": "risk-1.onnx", "digest": {"sha256": hashlib.sha256(graph()).hexdigest()}}
    said = statement["predicate"]
    assert [f["name"] for f in said["interface"]["features"]] == [f["name"] for f in FEATURES]
    assert said["author"] == cast["scientist"].id
    assert (said["run"]["id"], said["run"]["seed"], said["run"]["git"]) == (version.run_id, 7, {"commit": "a" * 40})
    assert said["run"]["parameters"] == {"trees": 3}
    assert "sha256:" + subject["digest"]["sha256"] == said["run"]["outputs"]["model.onnx"]
    assert fetch(version).signature == envelope
    event = newest("model.sign")
    assert event.payload["refers"]["model"] == version.sha256
    assert event.payload["facts"]["key"] == envelope["signatures"][0]["keyid"]


def test_a_changed_manifest_fails_for_everyone(plane, cast, made_version, fetch):
    version = made_version()
    envelope = sign_version(plane, cast["scientist"], version)
    statement = json.loads(base64.b64decode(envelope["payload"]))
    for change in ({"author": "somebody"}, {"run": {**statement["predicate"]["run"], "seed": 8}}):
        changed = {**statement, "predicate": {**statement["predicate"], **change}}
        forged = copy.deepcopy(envelope) | {"payload": base64.b64encode(json.dumps(changed).encode()).decode()}
        with pytest.raises(InvalidSignature):
            opened(forged, public_pem(plane))
        with pytest.raises(Tampered):
            verify_signature(forged, model_public_key(plane), version.sha256)


def test_a_version_whose_interface_was_changed_does_not_verify(plane, cast, made_version, fetch):
    version = made_version()
    sign_version(plane, cast["scientist"], version)
    assert verify_version(fetch(version), model_public_key(plane))["predicate"]["interface"] == version.interface
    with plane.database.write() as session:
        row = session.get_one(ModelVersion, version.id)
        wider = [{**f, "maximum": 1e9} for f in row.interface["features"]]
        row.interface = {**row.interface, "features": wider}
    with pytest.raises(Tampered) as caught:
        verify_version(fetch(version), model_public_key(plane))
    assert (caught.value.code, "interface" in caught.value.why) == ("TP-RELEASE-008", True)


def test_a_version_is_signed_once(plane, cast, made_version, fetch):
    version = made_version()
    first = sign_version(plane, cast["scientist"], version)
    with pytest.raises(Conflict) as caught:
        sign_version(plane, cast["operator"], version)
    assert caught.value.code == "TP-RELEASE-007"
    assert fetch(version).signature == first


def test_who_may_not_sign_is_denied(plane, cast, made_version, fetch, newest):
    version = made_version()
    for role in ("owner", "data-steward", "reviewer", "auditor", "consumer"):
        with pytest.raises(AccessDenied):
            sign_version(plane, cast[role], version)
        assert newest().leaf.outcome == "denied"
    assert fetch(version).signature == {}


def test_the_private_key_is_shown_nowhere(plane, cast, made_version):
    version = made_version()
    envelope = sign_version(plane, cast["scientist"], version)
    secret = plane.system_key("model-signing")
    assert "PRIVATE" not in public_pem(plane)
    for text in (repr(secret), str(secret), json.dumps(envelope), public_pem(plane)):
        assert secret.material.hex() not in text
        assert base64.b64encode(secret.material).decode() not in text
