"""Finding models and versions, and what they stand on."""

import pytest

from trustplane.kernel.policy.requests import Ref, account
from trustplane.release.approval import approve
from trustplane.release.catalog import find_model, find_version, model_target, related
from trustplane.values.errors import NotFound


def test_a_model_is_found_by_name_or_id_and_its_newest_version_without_a_number(plane, made_version):
    versions = [made_version() for _ in range(3)]
    with plane.database.read() as session:
        model = find_model(session, versions[0].project_id, "risk")
        assert find_model(session, versions[0].project_id, model.id).id == model.id
        assert find_version(session, model).id == versions[2].id
        assert [find_version(session, model, n).id for n in (1, 2, 3)] == [v.id for v in versions]


def test_what_is_not_there_is_not_found_and_the_nearest_is_named(plane, made_version):
    version = made_version()
    with plane.database.read() as session:
        with pytest.raises(NotFound) as caught:
            find_model(session, version.project_id, "rsik")
        assert (caught.value.code, "risk" in caught.value.why) == ("TP-RELEASE-001", True)
        for name in ("", "%", "risk' OR '1'='1", "x" * 10_000):
            with pytest.raises(NotFound):
                find_model(session, version.project_id, name)
        with pytest.raises(NotFound) as caught:
            find_model(session, "another project", "risk")
        assert caught.value.why == ""
        model = find_model(session, version.project_id, "risk")
        for number in (0, -1, 2):
            with pytest.raises(NotFound):
                find_version(session, model, number)


def test_policy_sees_author_approvers_status_and_project(plane, cast, ready, fetch):
    approve(plane, cast["reviewer"], ready, "fine")
    with plane.database.read() as session:
        target = model_target(session, fetch(ready))
    assert target.attributes == {
        "project": Ref("Project", ready.project_id),
        "author": account(cast["scientist"].id),
        "approvers": frozenset({account(cast["reviewer"].id)}),
        "status": "approved",
    }


def test_a_version_stands_on_itself_and_its_run_and_each_once(plane, made_version):
    version = made_version(inputs={"a": {"version": "unknown"}, "b": {}})
    with plane.database.read() as session:
        assert [(s.kind, s.id) for s in related(session, version)] == [
            ("model-version", version.id),
            ("run", version.run_id),
        ]
