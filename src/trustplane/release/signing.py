"""Signing a model version: an in-toto Statement about the artifact, in a DSSE envelope.

Statement: in-toto Attestation Framework v1. Envelope and pre-authentication encoding: DSSE protocol v1.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from trustplane.kernel.vault.signing import signing_key
from trustplane.release.catalog import model_target
from trustplane.release.tables import Model, ModelVersion
from trustplane.training.tables import Run
from trustplane.values.clock import rfc3339
from trustplane.values.digests import Digest, hex_of
from trustplane.values.errors import Conflict, Tampered

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.plane import Plane

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:trustplane:model-manifest:1"


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: what is signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def key_id(key: Ed25519PublicKey) -> str:
    """SHA-256 of the key's SubjectPublicKeyInfo, in hex."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def sign_statement(key: Ed25519PrivateKey, statement: Mapping[str, Any]) -> dict[str, Any]:
    """The envelope over a statement."""
    payload = rfc8785.dumps(dict(statement))
    signature = key.sign(pae(PAYLOAD_TYPE, payload))
    return {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": key_id(key.public_key()), "sig": base64.b64encode(signature).decode()}],
    }


def verify_signature(envelope: Mapping[str, Any], key: Ed25519PublicKey, sha256: str) -> dict[str, Any]:
    """The statement of an envelope that is signed by ``key`` and is about the artifact ``sha256``; raise :class:`Tampered` otherwise."""
    wanted = key_id(key)
    try:
        if envelope["payloadType"] != PAYLOAD_TYPE:
            raise _bad("its payload is of another type")
        payload = base64.b64decode(envelope["payload"], validate=True)
        signatures = [base64.b64decode(s["sig"], validate=True) for s in envelope["signatures"] if s["keyid"] == wanted]
    except (KeyError, TypeError, ValueError):
        raise _bad("the envelope cannot be read") from None
    if not signatures:
        raise _bad("it is not signed by the plane's key")
    try:
        key.verify(signatures[0], pae(PAYLOAD_TYPE, payload))
    except InvalidSignature:
        raise _bad("the signature does not fit what it signs") from None
    statement: dict[str, Any] = msgspec.json.decode(payload)
    named = [s["digest"].get("sha256") for s in statement["subject"]]
    if statement["_type"] != STATEMENT or named != [hex_of(Digest(sha256))]:
        raise _bad("it is about another artifact")
    return statement


def verify_version(version: ModelVersion, key: Ed25519PublicKey) -> dict[str, Any]:
    """The statement of a version that is still what ``key`` signed, artifact and interface; raise :class:`Tampered` otherwise."""
    statement = verify_signature(version.signature, key, version.sha256)
    if statement["predicate"]["interface"] != version.interface:
        raise _bad("the interface of the version is not the one that was signed")
    return statement


def model_signing_key(plane: "Plane") -> Ed25519PrivateKey:
    """The plane's key for models."""
    return signing_key(plane.system_key("model-signing"))


def model_public_key(plane: "Plane") -> Ed25519PublicKey:
    """The key that verifies the signatures of models."""
    return model_signing_key(plane).public_key()


def public_pem(plane: "Plane") -> str:
    """The same, as PEM."""
    return model_public_key(plane).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def manifest(version: ModelVersion, model: Model, run: Run, now: str) -> dict[str, Any]:
    """The statement about a version: what it is, and what made it."""
    return {
        "_type": STATEMENT,
        "subject": [
            {
                "name": f"{model.name}-{version.number}.{version.format}",
                "digest": {"sha256": hex_of(Digest(version.sha256))},
            }
        ],
        "predicateType": PREDICATE,
        "predicate": {
            "model": {"id": model.id, "name": model.name, "version": version.number, "project": version.project_id},
            "interface": version.interface,
            "author": version.author_id,
            "signed": now,
            "run": {
                "id": run.id,
                "code": run.code,
                "git": run.git,
                "lock": run.environment.get("lock", ""),
                "seed": run.seed,
                "sandbox": run.sandbox,
                "parameters": run.parameters,
                "inputs": {
                    name: {k: each[k] for k in ("version", "digest", "rows") if k in each}
                    for name, each in run.inputs.items()
                },
                "outputs": {path: each["sha256"] for path, each in run.outputs.items()},
            },
        },
    }


def sign_version(plane: "Plane", actor: "Actor", version: ModelVersion) -> dict[str, Any]:
    """Sign a version; return the envelope."""
    with plane.database.read() as session:
        target = model_target(session, version)
    with plane.operation(actor, "model.sign", target) as op:
        held = op.session.get_one(ModelVersion, version.id)
        if held.signature:
            raise Conflict("TP-RELEASE-007", "the version is signed already")
        statement = manifest(
            held,
            op.session.get_one(Model, held.model_id),
            op.session.get_one(Run, held.run_id),
            rfc3339(plane.clock.now()),
        )
        key = model_signing_key(plane)
        held.signature = sign_statement(key, statement)
        op.record(version=held.id, key=key_id(key.public_key()), predicate=PREDICATE)
        op.refer(model=held.sha256)
        return dict(held.signature)


def _bad(why: str) -> Tampered:
    return Tampered("TP-RELEASE-008", "the signature of the model version does not hold", why=why)
