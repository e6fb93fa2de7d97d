"""The record of the model of names that ships: who trained and signed what, and that its log says so, checked without any workspace.

``tools/build_names.py`` makes the record. The signature is over the ONNX graph of the model's emissions; the statement that
is signed names, as outputs of the same run, the weights that ship. The key and the log's key lie beside: they bind the parts to one
another, and somebody who knows them from elsewhere can compare.
"""

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from trustplane.kernel.ledger.notes import Vkey, decode_base64
from trustplane.kernel.ledger.proofs import verify_receipt
from trustplane.kernel.ledger.records import open_commitment
from trustplane.release.signing import key_id, verify_signature
from trustplane.values.errors import Tampered, TrustplaneError

WEIGHTS, RECORD = ("names.npz", "manifest.json"), "record"


def verify_shipped(folder: Any = None) -> dict[str, Any]:
    """What the record proves: ``signed``, ``key``, ``run``, ``git``, and ``digests`` of the weights. Raise :class:`Tampered` (TP-DATA-137) if it does not hold."""
    place = files("trustplane.data.recognisers.names") if folder is None else folder
    try:
        return _verified(place)
    except TrustplaneError as error:
        raise _bad(error.what) from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError, msgspec.MsgspecError) as error:
        raise _bad(f"it cannot be read ({type(error).__name__})") from error


def _verified(folder: Any) -> dict[str, Any]:
    record = folder.joinpath(RECORD)
    key = load_pem_public_key(record.joinpath("signing-key.pem").read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise _bad("its key is no Ed25519 key")
    envelope = msgspec.json.decode(record.joinpath("statement.dsse.json").read_bytes())
    sha256 = msgspec.json.decode(decode_base64(envelope["payload"]))["subject"][0]["digest"]["sha256"]
    statement = verify_signature(envelope, key, f"sha256:{sha256}")
    run = statement["predicate"]["run"]
    found = {name: f"sha256:{hashlib.sha256(folder.joinpath(name).read_bytes()).hexdigest()}" for name in WEIGHTS}
    for name, digest in found.items():
        if run["outputs"].get(name) != digest:
            raise _bad(f"{name} is not what the signed run left")
    if _logged(record)["refers"].get("model") != f"sha256:{sha256}":
        raise _bad("the log tells of another model")
    return {
        "signed": statement["predicate"]["signed"],
        "key": key_id(key),
        "run": run["id"],
        "git": run["git"],
        "digests": found,
    }


def _logged(record: Any) -> Mapping[str, Any]:
    """The payload of the event of signing, shown by a receipt to be in the log."""
    text = record.joinpath("sign.tlog-proof").read_text("utf-8")
    vkey = Vkey.parse(record.joinpath("log.vkey").read_text("utf-8"))
    proven = verify_receipt(text, [vkey])
    lines = record.joinpath("ledger", "payloads.jsonl").read_text("utf-8").splitlines()
    kept = next(each for each in map(msgspec.json.decode, lines) if each["index"] == proven.index)
    payload = decode_base64(kept["payload"])
    if open_commitment(proven.entry, payload, decode_base64(kept["salt"])).action != "model.sign":
        raise _bad("its receipt is of another event")
    told: Mapping[str, Any] = msgspec.json.decode(payload)
    return told


def _bad(why: str) -> Tampered:
    return Tampered("TP-DATA-137", "the record of the model of names does not hold", why=why)
