"""ONNX: a graph of known operators, and nothing that runs by itself."""

import json
import subprocess
import sys

import msgspec

from trustplane.release.formats.contract import FormatDescriptor, Inspected
from trustplane.values.errors import Refused, Unavailable

LARGEST = 512 << 20
SECONDS = 60
_WORKER = "trustplane.release.formats.onnx_worker"


class Onnx:
    """Checks a file in a process of its own, with limits: the parser is a C++ library, and the file a stranger's."""

    descriptor = FormatDescriptor("onnx", "Open Neural Network Exchange")

    def recognises(self, data: bytes) -> bool:
        """A ModelProto begins with its field 1, the IR version, as a small varint; no field has the number 0."""
        return len(data) > 1 and data[0] == 0x08 and 0 < data[1] < 0x40 and data[2:3] != b"\0"

    def inspect(self, data: bytes) -> Inspected:
        """Check the graph, its operators and its tensors; read its inputs and outputs."""
        if len(data) > LARGEST:
            raise Refused("TP-RELEASE-005", f"the model is larger than {LARGEST >> 20} MiB")
        try:
            done = subprocess.run(  # noqa: S603 - this interpreter, a module of this package
                [sys.executable, "-I", "-m", _WORKER], input=data, capture_output=True, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise Refused("TP-RELEASE-011", f"the model could not be checked within {SECONDS} seconds") from None
        except OSError as error:
            raise Unavailable(
                "TP-RELEASE-013", "the model could not be checked here", why=error.strerror or ""
            ) from None
        if done.returncode != 0:
            raise Refused(
                "TP-RELEASE-011", "the model could not be checked", why="checking it needed more than it may use"
            )
        answer = json.loads(done.stdout)
        if "refused" in answer:
            raise Refused("TP-RELEASE-011", "the model is not admitted", why=answer["refused"])
        return msgspec.convert(answer, Inspected)
