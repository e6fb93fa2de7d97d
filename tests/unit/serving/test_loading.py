"""Loading a model to serve: what was signed runs, and nothing else."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.unit.release.conftest import graph, spoil
from tests.unit.serving.conftest import NAME, body

from trustplane.kernel.vault.artifacts import seal
from trustplane.kernel.vault.keyring import unwrap_chain
from trustplane.release.catalog import subject_of
from trustplane.release.signing import model_signing_key, sign_statement
from trustplane.release.tables import ModelVersion
from trustplane.serving import loading
from trustplane.serving.inference import infer
from trustplane.serving.loading import Shelf, load
from trustplane.serving.tables import Decision
from trustplane.values.errors import NotFound, Refused, Tampered


def change(plane, deployment, **columns) -> None:
    """Change a version behind the plane's back."""
    with plane.database.write() as session:
        row = session.get_one(ModelVersion, deployment.model_version_id)
        for name, value in columns.items():
            setattr(row, name, value)


def refused(plane, deployment, family, code) -> None:
    with pytest.raises(family) as caught:
        load(plane, deployment)
    assert caught.value.code == code
    with plane.database.read() as session:
        assert session.query(Decision).count() == 0


def test_a_model_is_loaded_by_the_plane_and_on_record(plane, deployment, newest):
    served = load(plane, deployment)
    assert (served.model, served.version, served.version_id) == ("risk", 1, deployment.model_version_id)
    event = newest("deployment.load")
    assert (event.leaf.actor, event.leaf.outcome) == ("plane", "done")
    assert event.leaf.resource == f"Deployment::{deployment.id}"
    assert deployment.key_id in event.payload["keys"]


def test_the_key_of_the_decisions_is_not_shown(plane, deployment):
    served = load(plane, deployment)
    assert served.key.material.hex() not in repr(served)
    assert repr(served.key.material) not in repr(served)


def test_a_changed_byte_of_the_model_is_found_and_nothing_of_it_runs(plane, deployment, fetch, newest):
    spoil(plane, fetch(deployment.model_version_id).blob)
    with pytest.raises(Tampered) as caught:
        load(plane, deployment)
    assert caught.value.code in {"TP-VAULT-011", "TP-VAULT-014"}
    event = newest("deployment.load")
    assert (event.leaf.outcome, event.payload["facts"]["code"]) == ("refused", caught.value.code)


def test_a_lost_model_is_named(plane, deployment, fetch):
    plane.blobs.path(fetch(deployment.model_version_id).blob).unlink()
    refused(plane, deployment, NotFound, "TP-VAULT-010")


def test_another_model_under_the_right_key_is_not_the_one_that_was_signed(plane, deployment, fetch):
    version = fetch(deployment.model_version_id)
    with plane.database.read() as session:
        key = unwrap_chain(session, plane.keystore, version.key_id)
    other = seal(plane.blobs, key, [graph(tag="other")], subject_of(version.id), plane.clock.now())
    change(plane, deployment, blob=other.digest)
    refused(plane, deployment, Tampered, "TP-SERVING-004")


def test_another_model_with_its_digest_in_the_database_does_not_fit_the_signature(plane, deployment, fetch):
    version = fetch(deployment.model_version_id)
    with plane.database.read() as session:
        key = unwrap_chain(session, plane.keystore, version.key_id)
    other = seal(plane.blobs, key, [graph(tag="other")], subject_of(version.id), plane.clock.now())
    change(plane, deployment, blob=other.digest, sha256=other.sha256)
    refused(plane, deployment, Tampered, "TP-RELEASE-008")


def test_ranges_that_were_widened_in_the_database_are_found(plane, deployment, fetch):
    interface = fetch(deployment.model_version_id).interface
    for features in ([{**f, "maximum": 1e30} for f in interface["features"]], []):
        change(plane, deployment, interface={**interface, "features": features})
        refused(plane, deployment, Tampered, "TP-RELEASE-008")
    change(plane, deployment, interface=interface)
    load(plane, deployment)


def test_without_a_signature_nothing_is_loaded(plane, deployment):
    change(plane, deployment, signature={})
    refused(plane, deployment, Refused, "TP-SERVING-004")


def test_a_signature_by_another_key_is_refused(plane, deployment, fetch):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    version = fetch(deployment.model_version_id)
    change(plane, deployment, signature=sign_statement(Ed25519PrivateKey.generate(), {"subject": []}))
    refused(plane, deployment, Tampered, "TP-RELEASE-008")
    change(plane, deployment, signature={**version.signature, "payload": "é"})
    refused(plane, deployment, Tampered, "TP-RELEASE-008")


def test_the_signature_of_another_version_of_the_same_model_is_refused(plane, deployment, made_version, fetch, cast):
    from trustplane.release.signing import sign_version

    other = made_version({"model.onnx": graph(tag="other"), "features.json": b'[{"name": "income"}, {"name": "debt"}]'})
    change(plane, deployment, signature=sign_version(plane, cast["scientist"], other))
    refused(plane, deployment, Tampered, "TP-RELEASE-008")


def test_a_format_that_no_runtime_runs_is_not_loaded(plane, deployment):
    change(plane, deployment, format="pickle")
    with pytest.raises(Exception, match="no runtime") as caught:
        load(plane, deployment)
    assert caught.value.code == "TP-SERVING-007"


def test_a_model_is_loaded_once_however_many_ask_for_it(plane, deployment):
    shelf = Shelf(plane)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: shelf.take(deployment), range(32)))
    assert len({id(t) for t in taken}) == 1
    loads = [e for e in plane.ledger.feed(limit=100) if e.leaf.action == "deployment.load"]
    assert len(loads) == 1


def test_a_load_that_failed_is_tried_again(plane, deployment, fetch):
    shelf, signature = Shelf(plane), fetch(deployment.model_version_id).signature
    change(plane, deployment, signature={})
    with pytest.raises(Refused):
        shelf.take(deployment)
    change(plane, deployment, signature=signature)
    assert shelf.take(deployment).version == 1


def test_the_longest_unused_is_put_away(plane, deployed, monkeypatch):
    monkeypatch.setattr(loading, "HELD", 2)
    shelf = Shelf(plane)
    one, two, three = (deployed(name) for name in ("one", "two", "three"))
    first, second = shelf.take(one), shelf.take(two)
    assert shelf.take(one) is first
    shelf.take(three)
    assert shelf.take(one) is first
    assert shelf.take(two) is not second


def test_the_key_that_signs_is_not_what_the_gateway_holds(plane, deployment, cast):
    shelf = Shelf(plane)
    infer(plane, shelf, cast["consumer"], NAME, body())
    secret = model_signing_key(plane).private_bytes_raw()
    assert secret not in shelf.take(deployment).key.material
