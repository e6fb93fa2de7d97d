"""ONNX, by the same check as at the door (:mod:`trustplane.release.formats.onnx_worker`)."""

from importlib.util import find_spec

from trustplane.release.scanning.contract import Content, Inner, Judgement, Rejected, Rule, ScannerDescriptor


class OnnxModel:
    """Judges one model."""

    descriptor = ScannerDescriptor("onnx", "Open Neural Network Exchange")

    def recognises(self, head: bytes, size: int) -> bool:
        """A ModelProto begins with its field 1, the IR version, as a small varint."""
        return (
            size > 2 and head[0] == 0x08 and 0 < head[1] < 0x40 and (head[2] & 7) in {0, 2} and 0 < head[2] >> 3 <= 26
        )

    def judge(self, content: Content, inner: Inner) -> Judgement:
        """No operators beyond those of ai.onnx, no functions, no data in other files."""
        from trustplane.release.formats.onnx_worker import NotAdmitted, checked

        if find_spec("onnx") is None:
            raise Rejected(
                Rule.NOT_CHECKED, "it is an ONNX model, and onnx is not installed: it comes with trustplane[ml]"
            )
        try:
            checked(content.read())
        except NotAdmitted as reason:
            raise Rejected(Rule.UNSAFE_OPERATION, str(reason)) from None
        return Judgement("onnx")
