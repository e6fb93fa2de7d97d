"""A run as a Kubernetes Job: the same limits as in the sandbox, kept by the cluster.

Rendered for a cluster that this code never sees, so every promise is a field of the manifest: the restricted Pod Security Standard, no
token of a service account, no network, a read-only root, and limits from the profile. The image holds Python and what the script imports.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from trustplane.training.code import checked_files, code_digest
from trustplane.training.profiles import Profile
from trustplane.training.spec import RunKind, RunSpec, check_kind, check_limits, checked_parameters, module_of
from trustplane.values.errors import BadInput

USER = 65532
"""Nobody's number, as distroless images use it."""
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?\Z")  # RFC 1123, with room for what a Job appends
_IMAGE = re.compile(r"[\w.\-/:]+@sha256:[0-9a-f]{64}\Z", re.ASCII)
# YAML 1.1, section "Regexp for boolean, null": words that are no text, in any case.
_PLAIN = re.compile(r"(?!(?:y|n|yes|no|true|false|on|off|null)\Z)[a-z][\w./-]*\Z", re.ASCII | re.IGNORECASE)
_LARGEST_MAP = 1 << 20  # of a ConfigMap's data
_MANAGED = {"app.kubernetes.io/managed-by": "trustplane"}
INPUT, OUTPUT, CODE, SCRATCH = "/run/input", "/run/output", "/run/code", "/tmp"  # noqa: S108 - a path in the pod


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where a run is to go: the image by digest, the namespace, and the volume claim that holds the Parquet files of its views."""

    image: str
    namespace: str = "trustplane-runs"
    name: str = "run"
    claim: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


def manifest(spec: RunSpec, cluster: Cluster) -> str:
    """The Namespace, the NetworkPolicy, the ConfigMap of the code and the Job, as one YAML stream."""
    files = checked_files(spec.script, spec.files)
    check_kind(spec)
    if spec.kind == RunKind.CONVERSION:
        raise BadInput("TP-RUN-060", "a conversion is no job for a cluster", why="its source must be scanned first")
    profile = check_limits(spec)
    _check(spec, cluster, files)
    labels = {**_MANAGED, "trustplane/run": cluster.name, "trustplane/profile": profile.name}
    documents = (
        _namespace(cluster),
        _no_network(cluster),
        _code(cluster, files, labels),
        _job(spec, cluster, files, labels, profile),
    )
    return "---\n" + "---\n".join(yaml(document) for document in documents)


def _check(spec: RunSpec, cluster: Cluster, files: Mapping[str, bytes]) -> None:
    if not _IMAGE.match(cluster.image):
        raise BadInput("TP-RUN-028", "the image is not named by its digest", why="a tag can be moved to another image")
    for what, name in (("namespace", cluster.namespace), ("name", cluster.name), ("claim", cluster.claim)):
        if (name or what != "claim") and not _NAME.match(name):
            raise BadInput("TP-RUN-028", f"the {what} {name[:64]!r} is none that Kubernetes takes")
    if spec.views and not cluster.claim:
        raise BadInput("TP-RUN-028", "the run has views and no claim to read them from", fix="give --claim")
    if sum(len(data) * 4 // 3 + len(name) for name, data in files.items()) > _LARGEST_MAP:
        raise BadInput("TP-RUN-028", "the code is larger than a ConfigMap may be")


def _namespace(cluster: Cluster) -> dict[str, Any]:
    enforced = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": cluster.namespace, "labels": {**_MANAGED, **enforced}},
    }


def _no_network(cluster: Cluster) -> dict[str, Any]:
    """Neither in nor out, for every pod of the namespace; names are not resolved either."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "no-network", "namespace": cluster.namespace, "labels": dict(_MANAGED)},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    }


def _code(cluster: Cluster, files: Mapping[str, bytes], labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": f"{cluster.name}-code",
            "namespace": cluster.namespace,
            "labels": dict(labels),
            "annotations": {"trustplane/code": code_digest(files)},
        },
        "immutable": True,
        "binaryData": {_key(n): base64.b64encode(data).decode() for n, data in enumerate(files.values())},
    }


def _key(number: int) -> str:
    return f"file-{number}"  # a key of a ConfigMap holds no slash; the path is said where it is mounted


def _job(
    spec: RunSpec, cluster: Cluster, files: Mapping[str, bytes], labels: Mapping[str, str], profile: Profile
) -> dict[str, Any]:
    pod = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "hostNetwork": False,
        "hostPID": False,
        "hostIPC": False,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 5,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(spec, cluster, profile)],
        "volumes": _volumes(spec, cluster, files),
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": cluster.name, "namespace": cluster.namespace, "labels": dict(labels)},
        "spec": {
            "backoffLimit": 0,
            "completions": 1,
            "parallelism": 1,
            "activeDeadlineSeconds": int(spec.bounds.wall_seconds),
            "ttlSecondsAfterFinished": 86_400,
            "template": {"metadata": {"labels": dict(labels)}, "spec": pod},
        },
    }


def _container(spec: RunSpec, cluster: Cluster, profile: Profile) -> dict[str, Any]:
    mounts = [
        {"name": "code", "mountPath": CODE, "readOnly": True},
        {"name": "input", "mountPath": INPUT, "readOnly": True},
        {"name": "output", "mountPath": OUTPUT},
        {"name": "scratch", "mountPath": SCRATCH},
    ]
    environment = {
        "HOME": SCRATCH,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": str(spec.seed),
        "TRUSTPLANE_INPUT": INPUT,
        "TRUSTPLANE_OUTPUT": OUTPUT,
        "TRUSTPLANE_SEED": str(spec.seed),
        "TRUSTPLANE_PARAMETERS": msgspec.json.encode(checked_parameters(spec.parameters)).decode(),
    }
    bounds = _resources(spec, profile)
    return {
        "name": "run",
        "image": cluster.image,
        "command": _command(spec),
        "workingDir": OUTPUT,
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "resources": {"limits": bounds, "requests": dict(bounds)},  # equal, so that no other pod's memory is counted on
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "privileged": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
        "volumeMounts": mounts,
    }


def _command(spec: RunSpec) -> list[str]:
    match spec.kind:
        case RunKind.NOTEBOOK:
            return ["python", "-P", "-m", "trustplane.training.runners.notebook", f"{CODE}/{spec.script}"]
        case RunKind.CALLABLE:
            return ["python", "-P", "-m", "trustplane.training.runners.call", CODE, module_of(spec.script), spec.entry]
        case _:
            return ["python", f"{CODE}/{spec.script}"]


def _resources(spec: RunSpec, profile: Profile) -> dict[str, str]:
    limits = spec.bounds
    cores = max(1, round(limits.cpu_seconds / limits.wall_seconds))
    cards = {"nvidia.com/gpu": str(profile.cards)} if profile.cards else {}
    return {
        "cpu": str(cores),
        "memory": str(limits.memory_bytes),
        "ephemeral-storage": str(limits.output_bytes + limits.log_bytes),
        **cards,
    }


def _volumes(spec: RunSpec, cluster: Cluster, files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    items = [{"key": _key(number), "path": name} for number, name in enumerate(files)]
    rows: dict[str, Any] = {"emptyDir": {"sizeLimit": "1Mi"}}
    if cluster.claim:
        rows = {"persistentVolumeClaim": {"claimName": cluster.claim, "readOnly": True}}
    size = str(spec.bounds.output_bytes)
    return [
        {"name": "code", "configMap": {"name": f"{cluster.name}-code", "items": items, "defaultMode": 0o444}},
        {"name": "input", **rows},
        {"name": "output", "emptyDir": {"sizeLimit": size}},
        {"name": "scratch", "emptyDir": {"sizeLimit": size}},
    ]


def yaml(value: Mapping[str, Any], indent: int = 0) -> str:
    """A mapping of plain values in block style. Every text is quoted as JSON has it, which YAML reads the same."""
    lines = []
    for name, inner in value.items():
        lines += _lines(f"{name if _PLAIN.match(name) else _scalar(name)}:", inner, indent)
    return "".join(f"{line}\n" for line in lines) if indent == 0 else "\n".join(lines)


def _lines(head: str, value: Any, indent: int) -> list[str]:
    pad = " " * indent
    if isinstance(value, Mapping) and value:
        return [f"{pad}{head}", *yaml(value, indent + 2).split("\n")]
    if isinstance(value, list) and value:
        return [f"{pad}{head}", *(line for item in value for line in _item(item, indent + 2))]
    return [f"{pad}{head} {_scalar(value)}"]


def _item(value: Any, indent: int) -> list[str]:
    pad = " " * indent
    if not isinstance(value, Mapping) or not value:
        return [f"{pad}- {_scalar(value)}"]
    inner = yaml(value, indent + 2).split("\n")
    return [f"{pad}- {inner[0][indent + 2 :]}", *inner[1:]]


def _scalar(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    # YAML 1.2, 5.1: what is not printable is escaped; to some readers the separators of Unicode end a line.
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text)
