"""Finding deployments, and how policy sees one."""

import pytest
from tests.unit.serving.conftest import NAME

from trustplane.kernel.policy.requests import account
from trustplane.release.approval import approve
from trustplane.rollout.deployments import deploy
from trustplane.serving.catalog import deployment_target, find_deployment
from trustplane.serving.tables import Deployment
from trustplane.values.errors import NotFound


def test_the_newest_of_a_name_is_found_and_an_older_one_by_its_id(plane, deployed):
    older, newer = deployed(), deployed()
    with plane.database.read() as session:
        assert find_deployment(session, newer.project_id, NAME).id == newer.id
        assert find_deployment(session, newer.project_id, older.id).status == "retired"
        with pytest.raises(NotFound) as caught:
            find_deployment(session, newer.project_id, "risk-stagign")
        assert (caught.value.code, NAME in caught.value.why) == ("TP-SERVING-001", True)
        with pytest.raises(NotFound) as caught:
            find_deployment(session, "another project", NAME)
        assert caught.value.why == ""


def test_policy_sees_where_it_is_who_made_it_and_who_approved_it(plane, cast, ready):
    approve(plane, cast["reviewer"], ready, "fine")
    made, _ = deploy(plane, cast["operator"], "credit", "production", "risk")
    with plane.database.read() as session:
        row = session.get_one(Deployment, made)
        target = deployment_target(session, row)
    assert (target.project, target.environment) == (row.project_id, row.environment_id)
    assert target.attributes == {
        "production": True,
        "approved": True,
        "author": account(cast["scientist"].id),
        "approvers": frozenset({account(cast["reviewer"].id)}),
    }
