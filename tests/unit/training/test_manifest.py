"""A run as a Kubernetes Job: read back, and held against the fields that the API has and the restricted standard asks for."""

import base64

import pytest
import yaml as reader
from hypothesis import example, given
from hypothesis import strategies as st

from trustplane.training.manifest import Cluster, manifest, yaml
from trustplane.training.sandboxes.contract import GIB, Limits
from trustplane.training.spec import RunSpec
from trustplane.values.errors import BadInput

IMAGE = "registry.example/train@sha256:" + "ab" * 32
CODE = {"train.py": b"print(1)\n", "lib/rates.py": b"x = 1\n"}
# The fields of the objects in Kubernetes' OpenAPI (v1.30), as far as one of them may stand here; a field of another name is refused by the
# server's strict validation.
FIELDS = {
    "Job": {"apiVersion", "kind", "metadata", "spec"},
    "JobSpec": {"activeDeadlineSeconds", "backoffLimit", "completionMode", "completions", "manualSelector", "parallelism", "podFailurePolicy", "selector", "suspend", "template", "ttlSecondsAfterFinished"},
    "PodSpec": {"automountServiceAccountToken", "containers", "enableServiceLinks", "hostIPC", "hostNetwork", "hostPID", "initContainers", "nodeSelector", "restartPolicy", "runtimeClassName", "securityContext", "serviceAccountName", "terminationGracePeriodSeconds", "tolerations", "volumes"},
    "PodSecurityContext": {"fsGroup", "fsGroupChangePolicy", "runAsGroup", "runAsNonRoot", "runAsUser", "seccompProfile", "seLinuxOptions", "supplementalGroups", "sysctls"},
    "Container": {"args", "command", "env", "envFrom", "image", "imagePullPolicy", "name", "resources", "securityContext", "volumeMounts", "workingDir"},
    "SecurityContext": {"allowPrivilegeEscalation", "capabilities", "privileged", "procMount", "readOnlyRootFilesystem", "runAsGroup", "runAsNonRoot", "runAsUser", "seccompProfile"},
    "VolumeMount": {"mountPath", "name", "readOnly", "subPath"},
    "Volume": {"name", "configMap", "emptyDir", "persistentVolumeClaim"},
    "NetworkPolicySpec": {"egress", "ingress", "podSelector", "policyTypes"},
    "ConfigMap": {"apiVersion", "kind", "metadata", "immutable", "binaryData", "data"},
    "ObjectMeta": {"name", "namespace", "labels", "annotations"},
}  # fmt: skip


def rendered(spec=None, **said):
    spec = spec or RunSpec("train.py", CODE)
    documents = list(reader.safe_load_all(manifest(spec, Cluster(**{"image": IMAGE} | said))))
    return {document["kind"]: document for document in documents}


def pod_of(documents):
    return documents["Job"]["spec"]["template"]["spec"]


def test_every_field_is_one_that_kubernetes_has() -> None:
    documents = rendered()
    pod = pod_of(documents)
    (container,) = pod["containers"]
    for kind, value in {
        "Job": documents["Job"],
        "JobSpec": documents["Job"]["spec"],
        "PodSpec": pod,
        "PodSecurityContext": pod["securityContext"],
        "Container": container,
        "SecurityContext": container["securityContext"],
        "NetworkPolicySpec": documents["NetworkPolicy"]["spec"],
        "ConfigMap": documents["ConfigMap"],
    }.items():
        assert set(value) <= FIELDS[kind], kind
    assert all(set(d["metadata"]) <= FIELDS["ObjectMeta"] for d in documents.values())
    assert all(set(mount) <= FIELDS["VolumeMount"] for mount in container["volumeMounts"])
    assert all(set(volume) <= FIELDS["Volume"] and len(volume) == 2 for volume in pod["volumes"])


def test_the_pod_is_restricted() -> None:
    """Pod Security Standards, restricted: https://kubernetes.io/docs/concepts/security/pod-security-standards/."""
    documents = rendered()
    pod = pod_of(documents)
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert not any(pod[name] for name in ("hostNetwork", "hostPID", "hostIPC"))
    assert {key for volume in pod["volumes"] for key in volume} <= {
        "name",
        "configMap",
        "emptyDir",
        "persistentVolumeClaim",
    }
    labels = documents["Namespace"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_nothing_is_reached_and_nothing_is_written_but_the_output() -> None:
    documents = rendered()
    pod = pod_of(documents)
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert documents["NetworkPolicy"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert documents["NetworkPolicy"]["metadata"]["namespace"] == documents["Job"]["metadata"]["namespace"]
    writable = {m["name"] for m in container["volumeMounts"] if not m.get("readOnly")}
    assert writable == {"output", "scratch"}


def test_limits_are_those_of_the_run() -> None:
    spec = RunSpec("train.py", CODE, limits=Limits(memory_bytes=GIB, wall_seconds=60, cpu_seconds=120))
    documents = rendered(spec)
    (container,) = pod_of(documents)["containers"]
    assert documents["Job"]["spec"]["activeDeadlineSeconds"] == 60
    assert documents["Job"]["spec"]["backoffLimit"] == 0
    assert container["resources"]["limits"] == container["resources"]["requests"]
    assert (container["resources"]["limits"]["memory"], container["resources"]["limits"]["cpu"]) == (str(GIB), "2")
    assert "nvidia.com/gpu" not in container["resources"]["limits"]
    (container,) = pod_of(rendered(RunSpec("train.py", CODE, profile="gpu")))["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"


def test_the_code_and_what_it_is_given_arrive_whole() -> None:
    spec = RunSpec("train.py", CODE, parameters={"name": "é\u2028'\"\\", "depth": 3}, seed=7, views=("people",))
    documents = rendered(spec, claim="rows")
    pod = pod_of(documents)
    (container,) = pod["containers"]
    data = documents["ConfigMap"]["binaryData"]
    items = pod["volumes"][0]["configMap"]["items"]
    assert {item["path"]: base64.b64decode(data[item["key"]]) for item in items} == CODE
    given_ = {e["name"]: e["value"] for e in container["env"]}
    assert reader.safe_load(given_["TRUSTPLANE_PARAMETERS"]) == {"name": "é\u2028'\"\\", "depth": 3}
    assert (given_["TRUSTPLANE_SEED"], given_["PYTHONHASHSEED"]) == ("7", "7")
    assert pod["volumes"][1]["persistentVolumeClaim"] == {"claimName": "rows", "readOnly": True}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, {"image": "registry.example/train:latest"}),
        ({}, {"namespace": "Not a name"}),
        ({}, {"name": "x" * 60}),
        ({}, {"claim": "../x"}),
        ({"views": ("people",)}, {}),
        ({"files": {"train.py": b"x" * (1 << 20)}}, {}),
    ],
)
def test_what_a_cluster_would_not_take_is_refused(spec, said) -> None:
    with pytest.raises(BadInput) as caught:
        rendered(RunSpec(**{"script": "train.py", "files": CODE} | spec), **said)
    assert caught.value.code == "TP-RUN-028"


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner.filter(lambda v: not isinstance(v, list)), max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1, max_size=100), inner, max_size=4)
    ),
    max_leaves=12,
)


@example({"a": {"TRUE": None, "Off": 1, "nUlL": 2, "Yes": [3]}})
@given(st.dictionaries(st.sampled_from(["a", "b.c/d", "on", "1"]), PLAIN, min_size=1))
def test_what_is_written_is_read_back(value) -> None:
    assert reader.load(yaml(value), Loader=_Plain) == value


class _Plain(reader.SafeLoader):
    """YAML 1.2's core: ``on`` is a text."""


_Plain.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in found if first not in "yYnNoO" or tag != "tag:yaml.org,2002:bool"]
    for first, found in reader.SafeLoader.yaml_implicit_resolvers.items()
}
