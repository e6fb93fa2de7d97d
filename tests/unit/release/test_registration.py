"""Registering a model: judged by its content, kept under a key of its own, in the name of whoever made it."""

import io
import json
import os
import pickle
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from sqlalchemy import func, select
from tests.corpora import weights
from tests.unit.release.conftest import FEATURES, graph, spoil

from trustplane.kernel.identity import principals as people
from trustplane.kernel.operation import AccessDenied, Idempotency
from trustplane.kernel.vault.tables import VaultKey
from trustplane.release.opening import open_model
from trustplane.release.registration import LARGEST, assessment_subject, register_version
from trustplane.release.tables import Model, ModelVersion
from trustplane.training.tables import Run
from trustplane.values.errors import BadInput, NotFound, Refused, Tampered

DESCRIBED = json.dumps(FEATURES).encode()


class Harm:
    """Its pickle makes a folder when it is loaded."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def external() -> bytes:
    """A graph whose weights lie in another file."""
    model = onnx.load_model_from_string(graph())
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../secret")
    return model.SerializeToString()


def count(plane, table) -> int:
    with plane.database.read() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_what_is_registered_can_be_opened_and_is_what_the_run_left(plane, cast, made_run, fetch, newest):
    run_id = made_run({"model.onnx": graph(), "features.json": DESCRIBED, "holdout.parquet": b"rows"})
    version = fetch(register_version(plane, cast["scientist"], "credit", "risk", run_id))
    assert (version.number, version.status, version.format, version.run_id) == (1, "candidate", "onnx", run_id)
    assert version.author_id == cast["scientist"].id
    assert version.signature == {}
    assert [f["name"] for f in version.interface["features"]] == ["income", "debt"]
    assert version.interface["inputs"] == [{"name": "features", "datatype": "FP32", "shape": [-1, 2]}]
    assert b"".join(open_model(plane, cast["scientist"], version)) == graph()
    event = newest("model.register")
    assert event.leaf.resource == f"ModelVersion::{version.id}"
    assert event.payload["refers"]["model"] == version.sha256
    assert len(event.payload["keys"]) == 2
    subject = assessment_subject(plane, version)
    assert (subject.model_sha256, subject.holdout_blob) == (version.sha256, version.holdout_blob)


WEIGHTS = {
    "safetensors": weights.safetensors({"w": weights.tensor(0, 12)}, bytes(12)),
    "gguf": weights.gguf(),
    "keras": weights.archive(weights.sequential(weights.dense())),
}


@pytest.mark.parametrize("form", WEIGHTS)
def test_weights_are_registered_and_answer_nothing(form, plane, cast, made_run, fetch):
    run_id = made_run({"weights.bin": WEIGHTS[form], "holdout.parquet": b"rows"})
    version = fetch(register_version(plane, cast["scientist"], "credit", "risk", run_id, "weights.bin"))
    assert version.format == form
    assert (version.interface["inputs"], version.interface["outputs"]) == ([], [])
    assert b"".join(open_model(plane, cast["scientist"], version)) == WEIGHTS[form]


ARRAYS = io.BytesIO()
np.savez(ARRAYS, w=np.arange(3.0))


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (weights.template("{{ ().__class__ }}"), "TP-RELEASE-011", "__class__"),
        (weights.archive(weights.sequential(weights.LAYERS["CVE-2024-3660"])), "TP-RELEASE-011", "Lambda"),
        (weights.safetensors({"w": weights.tensor(0, 12)}, bytes(13)), "TP-RELEASE-011", "follows"),
        (weights.model_config({"class_name": "Sequential", "config": {}}), "TP-RELEASE-010", "save them as .keras"),
        (weights.model_config(weights.LAYERS["CVE-2024-3660"]), "TP-RELEASE-020", "Lambda"),
        (ARRAYS.getvalue(), "TP-RELEASE-010", "ZIP archive"),
    ],
)
def test_weights_with_code_and_files_of_no_admitted_format_are_not_registered(data, code, words, plane, cast, made_run):
    run_id = made_run({"weights.bin": data})
    before = count(plane, ModelVersion)
    with pytest.raises(Refused, match=code) as caught:
        register_version(plane, cast["scientist"], "credit", "risk", run_id, "weights.bin")
    assert words in caught.value.why
    assert "trustplane model convert" in caught.value.fix or code == "TP-RELEASE-011"
    assert count(plane, ModelVersion) == before


def test_the_artifact_lies_in_no_file_in_the_clear(plane, cast, made_version):
    made_version()
    for file in plane.workspace.folder.rglob("*"):
        assert not file.is_file() or b"weighed" not in file.read_bytes()


def test_versions_are_counted_by_model(made_version):
    assert [made_version(model=m).number for m in ("risk", "risk", "fraud", "risk")] == [1, 2, 1, 3]


def test_two_versions_from_one_run_have_keys_of_their_own(plane, cast, made_run, fetch, remembered):
    run_id = made_run()
    one, two = (fetch(register_version(plane, cast["scientist"], "credit", "risk", run_id)) for _ in range(2))
    assert one.key_id != two.key_id
    assert one.blob != two.blob
    assert one.sha256 == two.sha256


def test_the_author_is_who_ran_the_script_whoever_registers_it(plane, made_run, person, fetch, remembered):
    other = person("some-other", "scientist")
    run_id = made_run()
    version = fetch(register_version(plane, other, "credit", "risk", run_id))
    assert version.author_id != other.id


def test_what_is_no_safe_model_is_refused_whatever_its_name(plane, cast, made_run, newest, tmp_path):
    keys = count(plane, VaultKey)
    harm = Harm(tmp_path / "harmed")
    attempts = (
        (pickle.dumps(harm), "TP-RELEASE-020", "pickle"),
        (pickle.dumps(harm, protocol=0), "TP-RELEASE-020", ""),
        (b"PK\x03\x04" + bytes(100), "TP-RELEASE-020", "ZIP"),
        (b"", "TP-RELEASE-010", ""),
        (b"\x08", "TP-RELEASE-010", ""),
        (b"\x08\x08 this is no graph", "TP-RELEASE-011", "damaged"),
        (graph()[:-9], "TP-RELEASE-011", ""),
        (external(), "TP-RELEASE-011", "other files"),
    )
    for content, code, why in attempts:
        run_id = made_run({"model.onnx": content, "features.json": DESCRIBED})
        with pytest.raises(Refused) as caught:
            register_version(plane, cast["scientist"], "credit", "risk", run_id)
        assert caught.value.code == code
        assert why in caught.value.why
        event = newest()
        assert (event.leaf.action, event.leaf.outcome) == ("model.register", "refused")
        assert event.payload["facts"]["code"] == code
    assert not (tmp_path / "harmed").exists()
    assert (count(plane, Model), count(plane, ModelVersion)) == (0, 0)
    assert count(plane, VaultKey) == keys + len(attempts)


def test_a_pickle_of_a_fitted_model_is_refused(plane, cast, made_run):
    run_id = made_run({"model.onnx": pickle.dumps(SimpleNamespace(weights=np.ones(3)))})
    with pytest.raises(Refused, match="TP-RELEASE-020") as caught:
        register_version(plane, cast["scientist"], "credit", "risk", run_id)
    assert "ONNX" in caught.value.fix


def test_an_artifact_that_is_too_large_is_refused_before_it_is_read(plane, cast, made_run):
    run_id = made_run()
    with plane.database.write() as session:
        row = session.get_one(Run, run_id)
        row.outputs = {p: {**o, "size": LARGEST + 1, "digest": "sha256:" + "9" * 64} for p, o in row.outputs.items()}
    with pytest.raises(Refused) as caught:
        register_version(plane, cast["scientist"], "credit", "risk", run_id)
    assert caught.value.code == "TP-RELEASE-005"


def test_a_run_that_did_not_end_well_is_not_registered(plane, cast, made_run):
    for state in ("queued", "failed"):
        with pytest.raises(Refused) as caught:
            register_version(plane, cast["scientist"], "credit", "risk", made_run(state=state))
        assert caught.value.code == "TP-RELEASE-002"


def test_only_what_the_run_left_is_registered(plane, cast, made_run):
    run_id = made_run()
    for artifact in ("other.onnx", "../model.onnx", "/model.onnx", "", "model.onnx\x00"):
        with pytest.raises(BadInput) as caught:
            register_version(plane, cast["scientist"], "credit", "risk", run_id, artifact)
        assert caught.value.code == "TP-RELEASE-004"
        assert "features.json, model.onnx" in caught.value.why


def test_a_model_needs_a_plain_name(plane, cast, made_run):
    run_id = made_run()
    for name in ("", "../risk", "Risk", "r" * 65, "ri sk", "rísk"):
        with pytest.raises(BadInput):
            register_version(plane, cast["scientist"], "credit", name, run_id)
    assert count(plane, Model) == 0


UNUSABLE = (
    b"",
    b"{}",
    b"[1]",
    b'[{"title": "income"}]',
    b'[{"name": "income"}, {"name": "income"}]',
    b'[{"name": ""}]',
    b'[{"name": "a\\nb"}]',
    b'[{"name": "' + b"n" * 257 + b'"}]',
    b'[{"name": "income", "minimum": "low"}]',
    b'[{"name": "income", "minimum": NaN}]',
    b'[{"name": "income", "minimum": 2, "maximum": 1}]',
    b'[{"name": "\xff"}]',
    b"[" * 100_000,
)


def test_a_description_of_features_that_is_not_usable_is_refused(plane, cast, made_run, remembered):
    for said in UNUSABLE:
        run_id = made_run({"model.onnx": graph(), "features.json": said})
        with pytest.raises(BadInput) as caught:
            register_version(plane, cast["scientist"], "credit", "risk", run_id)
        assert caught.value.code == "TP-RELEASE-006"
    assert count(plane, ModelVersion) == 0


def test_a_run_that_describes_no_features_gives_a_version_without(made_version):
    assert made_version({"model.onnx": graph()}).interface["features"] == []


def test_without_a_hold_out_there_is_nothing_to_assess_on(plane, made_version):
    with pytest.raises(Refused) as caught:
        assessment_subject(plane, made_version())
    assert caught.value.code == "TP-RELEASE-003"


def test_only_scientists_register(plane, cast, made_run, newest):
    run_id = made_run()
    for role in cast.keys() - {"scientist"}:
        with pytest.raises(AccessDenied):
            register_version(plane, cast[role], "credit", "risk", run_id)
        assert (newest().leaf.outcome, newest().leaf.actor) == ("denied", cast[role].id)
    assert count(plane, ModelVersion) == 0


def test_a_run_of_another_project_is_unknown(plane, cast, owner, made_run):
    people.create_project(plane, owner, "fraud")
    with pytest.raises(NotFound):
        register_version(plane, cast["scientist"], "fraud", "risk", made_run())


def test_a_changed_byte_of_the_runs_output_is_found(plane, cast, made_run):
    run_id = made_run()
    with plane.database.read() as session:
        spoil(plane, session.get_one(Run, run_id).outputs["model.onnx"]["digest"])
    with pytest.raises(Tampered):
        register_version(plane, cast["scientist"], "credit", "risk", run_id)
    assert count(plane, ModelVersion) == 0


def test_what_was_made_is_found_by_its_idempotency_key(plane, cast, made_run, remembered):
    key = Idempotency("one", "the request")
    made = register_version(plane, cast["scientist"], "credit", "risk", made_run(), idempotency=key)
    assert plane.replayed(cast["scientist"], key) == made
