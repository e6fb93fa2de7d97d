"""Deploying a model version to an environment, and retiring it."""

from typing import TYPE_CHECKING

from sqlalchemy import select

from trustplane.kernel.identity.scopes import environment_target, find_environment, find_project
from trustplane.kernel.identity.tables import Environment
from trustplane.kernel.operation import Operation
from trustplane.kernel.policy.requests import account
from trustplane.kernel.vault.keyring import KeySpec, mint, release
from trustplane.release.catalog import approvers_of, find_model, find_version
from trustplane.release.signing import model_public_key, verify_version
from trustplane.release.tables import ModelVersion
from trustplane.serving.catalog import deployment_target, find_deployment
from trustplane.serving.tables import Deployment
from trustplane.values.errors import BadInput, Conflict, Refused
from trustplane.values.ids import check_name, new_id

if TYPE_CHECKING:
    from trustplane.kernel.identity.actors import Actor
    from trustplane.kernel.operation import Idempotency
    from trustplane.kernel.plane import Plane


def deploy(
    plane: "Plane",
    actor: "Actor",
    project: str,
    environment: str,
    model: str,
    number: int | None = None,
    name: str | None = None,
    idempotency: "Idempotency | None" = None,
) -> tuple[str, str]:
    """Serve a version in an environment under a name, ``<model>-<environment>`` without one; return the deployment's id and the receipt.

    A deployment that is active under the name in the same environment is retired in the same act.
    """
    with plane.database.read() as session:
        project_row = find_project(session, project)
        environment_row = find_environment(session, project_row, environment)
        model_row = find_model(session, project_row.id, model)
        version = find_version(session, model_row, number)
        approvers = approvers_of(session, version.id)
        target = environment_target(environment_row)
    served_as = name or f"{model_row.name}-{environment_row.name}"
    check_name("deployment", served_as)
    context = {
        "author": account(version.author_id),
        "approvers": frozenset(account(a) for a in approvers),
        "approved": version.status == "approved",
    }
    with plane.operation(actor, "deployment.create", target, context=context, idempotency=idempotency) as op:
        held = op.session.get_one(ModelVersion, version.id)
        _check(op, held, environment_row)
        replaced = _make_room(op, served_as, environment_row)
        parent = release(op, op.session, plane.keystore, [project_row.key_id])[project_row.key_id]
        deployment_id, now = new_id(), plane.clock.now()
        key, _ = mint(parent, KeySpec("deployment", f"deployment:{deployment_id}", project_row.id), now)
        row = Deployment(
            id=deployment_id,
            project_id=project_row.id,
            environment_id=environment_row.id,
            model_version_id=held.id,
            name=served_as,
            author_id=actor.answerable,
            key_id=key.id,
            status="active",
            created=now,
            retired_at=None,
        )
        op.session.add_all((key, row))
        op.session.flush()
        op.about(deployment_target(op.session, row))
        op.record(
            deployment=row.id,
            version=held.id,
            environment=environment_row.id,
            production=environment_row.production,
            name=served_as,
            replaced=replaced,
        )
        op.refer(model=held.sha256)
        op.made(row.id)
    return row.id, op.receipt or ""


def retire(plane: "Plane", actor: "Actor", project: str, deployment: str) -> str:
    """Stop serving a deployment; return the receipt. Its decisions stay on record."""
    with plane.database.read() as session:
        row = find_deployment(session, find_project(session, project).id, deployment)
        target = deployment_target(session, row)
    with plane.operation(actor, "deployment.retire", target) as op:
        held = op.session.get_one(Deployment, row.id)
        if held.status != "active":
            raise Conflict("TP-ROLLOUT-002", f"{held.name} is retired already")
        held.status, held.retired_at = "retired", plane.clock.now()
        op.record(deployment=held.id)
    return op.receipt or ""


def _check(op: Operation, version: ModelVersion, environment: Environment) -> None:
    if version.status == "rejected":
        raise Refused("TP-ROLLOUT-001", "the version was rejected", why="it is deployed nowhere")
    if not version.signature:
        raise Refused("TP-ROLLOUT-001", "the version is not signed", fix="sign it with 'trustplane model sign'")
    verify_version(version, model_public_key(op.plane))
    if environment.production and version.status != "approved":
        raise Refused("TP-ROLLOUT-001", "the version is not approved", why="its approval was taken back meanwhile")
    if not version.interface.get("features"):
        raise BadInput(
            "TP-ROLLOUT-003",
            "the version does not say what its features are",
            why="inputs are checked by name and range before they are answered",
        )


def _make_room(op: Operation, name: str, environment: Environment) -> str | None:
    """Retire what is active under the name here; raise if the name is another environment's, since names are the plane's.

    Deployments take turns, so that two at once do not both find the name free.
    """
    op.session.scalars(select(Environment.id).order_by(Environment.id).with_for_update(key_share=True)).all()
    found = op.session.scalar(select(Deployment).where(Deployment.name == name, Deployment.status == "active"))
    if found is None:
        return None
    if found.environment_id != environment.id:
        raise Conflict("TP-ROLLOUT-002", f"the name {name!r} is taken by a deployment elsewhere")
    found.status, found.retired_at = "retired", op.plane.clock.now()
    return found.id
