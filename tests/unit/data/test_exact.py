"""An exact pass looks at every value, in blocks, and says more than a sample or the same."""

from dataclasses import replace

import pyarrow as pa

from trustplane.data.classes import SensitivityClass
from trustplane.data.exact import ExactPass
from trustplane.data.ingestion import ingest
from trustplane.data.presets import GDPR_9, HIPAA, presets_of
from trustplane.data.profile import confirmed, profile
from trustplane.data.recognisers.email_address import EmailAddress
from trustplane.data.recognisers.registry import installed_recognisers
from trustplane.data.tables import DatasetVersion

SCHEMA = pa.schema([("c", pa.string())])


def batches(values, size=1000):
    return [pa.record_batch([values[at : at + size]], schema=SCHEMA) for at in range(0, len(values), size)]


def run(values, **limits):
    every = ExactPass(SCHEMA, (EmailAddress(),), **limits)
    for batch in batches(values):
        every.add(batch)
    return every.proposals()[0]


def test_a_stretch_of_a_table_is_not_diluted_by_the_rest():
    values = [f"word {n}" for n in range(30_000)] + [f"p{n}@example.org" for n in range(1000)]
    assert run(values).entity == ""
    assert run(values, rows=2000).entity == "EMAIL_ADDRESS"


def test_a_block_ends_where_its_rows_are_long():
    values = ["x" * 500] * 3000 + [f"p{n}@example.org" for n in range(1000)]
    assert run(values, size=400_000).entity == "EMAIL_ADDRESS"


def test_an_empty_stream_has_proposals():
    assert run([]).entity == ""


def test_what_was_looked_at_whole_leaves_nothing_unseen():
    values = [f"word {n}" for n in range(20_000)]
    sampled = profile(batches(values), schema=SCHEMA, size=500, recognisers=(EmailAddress(),))
    assert 0.005 < sampled.proposals[0].unseen_share < 0.007
    (whole,) = confirmed(sampled, [run(values)]).proposals
    assert (whole.exact, whole.unseen_share, whole.miss_probability, whole.sampled) == (True, 0.0, 0.0, 20_000)


def test_types_of_all_kinds_are_counted():
    schema = pa.schema(
        [("d", pa.dictionary(pa.int32(), pa.string())), ("f", pa.float64()), ("b", pa.binary()), ("n", pa.null())]
    )
    arrays = [
        pa.array(["a@b.org", "a@b.org ", None]).dictionary_encode(),
        pa.array([1.0, None, 2.5]),
        pa.array([b"x", b"y", None]),
        pa.nulls(3),
    ]
    every = ExactPass(schema, installed_recognisers())
    every.add(pa.record_batch(arrays, schema=schema))
    assert [each.entity for each in every.proposals()] == ["EMAIL_ADDRESS", "", "", ""]
    assert [each.non_null for each in every.proposals()] == [2, 2, 2, 0]


def test_an_ingestion_says_whether_it_was_exact(plane, cast, spec, csv):
    made = ingest(plane, cast["data-steward"], "credit", replace(spec, exact=True), [csv(50)])
    with plane.database.read() as session:
        proposals = session.get_one(DatasetVersion, made.version_id).proposals
    assert all(each["exact"] and each["unseen_share"] == 0 for each in proposals.values())
    (event,) = [e for e in plane.ledger.feed() if e.leaf.action == "dataset.ingest"]
    assert event.payload["facts"]["exact"] is True


def test_every_entity_of_the_presets_exists_and_every_identifier_is_in_one():
    assert len(HIPAA) == 18
    assert len(GDPR_9) == 8
    assert presets_of("EMAIL_ADDRESS", SensitivityClass.IDENTIFIER) == ("hipaa-safe-harbor:F",)
    assert presets_of("ICD_CODE", SensitivityClass.SPECIAL) == ("gdpr-art9:health",)
    assert presets_of("", SensitivityClass.CONFIDENTIAL) == ()
    for each in installed_recognisers():
        if each.descriptor.klass is SensitivityClass.IDENTIFIER:
            assert any(p.startswith("hipaa") for p in presets_of(each.descriptor.entity, each.descriptor.klass))
