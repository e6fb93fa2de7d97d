"""XGBoost, LightGBM and CatBoost in their native formats: judged by readers that follow no index of a file on trust."""

from collections.abc import Callable

from trustplane.release.formats.contract import FormatDescriptor
from trustplane.release.formats.judged import Judged
from trustplane.release.scanning.contract import HEAD, Content, Inner, Judgement, Rejected, Rule, ScannerDescriptor
from trustplane.training.runtimes.boosters import catboost, lightgbm, xgboost
from trustplane.training.runtimes.boosters.sound import Booster, Unhandled, Unsound

_BINARY = b"CBM1"


def _judged(name: str, read: Callable[[bytes], Booster], content: Content) -> Judgement:
    try:
        found = read(content.read())
    except Unhandled as reason:
        raise Rejected(Rule.NOT_CHECKED, str(reason)) from None
    except Unsound as reason:
        raise Rejected(Rule.DAMAGED, str(reason)) from None
    return Judgement(name, facts={"trees": len(found.trees)}, takes=found.takes, gives=found.gives)


class XgboostFile:
    """Judges a model in JSON or UBJSON."""

    descriptor = ScannerDescriptor("xgboost", "XGBoost model")

    def recognises(self, head: bytes, size: int) -> bool:
        """It begins with its learner."""
        return xgboost.begins(head)

    def judge(self, content: Content, inner: Inner) -> Judgement:
        """Every member is known, and every index points within its array."""
        return _judged("xgboost", xgboost.read, content)


class LightgbmFile:
    """Judges a text model."""

    descriptor = ScannerDescriptor("lightgbm", "LightGBM model")

    def recognises(self, head: bytes, size: int) -> bool:
        """It begins with its kind and its version."""
        return lightgbm.begins(head)

    def judge(self, content: Content, inner: Inner) -> Judgement:
        """Every line is known, and every index points within its tree."""
        return _judged("lightgbm", lightgbm.read, content)


class CatboostFile:
    """Judges a model in JSON; the binary form is known and not judged."""

    descriptor = ScannerDescriptor("catboost", "CatBoost model")

    def recognises(self, head: bytes, size: int) -> bool:
        """It begins with its features, or the mark of the binary form."""
        return catboost.begins(head) or head.startswith(_BINARY)

    def judge(self, content: Content, inner: Inner) -> Judgement:
        """Symmetric trees over numbers, each border one of its feature's."""
        if content.read(len(_BINARY)) == _BINARY:
            raise Rejected(
                Rule.NOT_CHECKED,
                "it is a CatBoost model in its binary form, which is not judged here: save it with format='json' or 'onnx'",
            )
        content.seek(0)
        return _judged("catboost", catboost.read, content)


class Xgboost(Judged):
    """The format of :class:`XgboostFile`."""

    descriptor = FormatDescriptor("xgboost", "XGBoost in JSON or UBJSON")
    scanner = XgboostFile()


class Lightgbm(Judged):
    """The format of :class:`LightgbmFile`."""

    descriptor = FormatDescriptor("lightgbm", "LightGBM as text")
    scanner = LightgbmFile()


class Catboost(Judged):
    """The format of :class:`CatboostFile`."""

    descriptor = FormatDescriptor("catboost", "CatBoost in JSON")

    def recognises(self, data: bytes) -> bool:
        """It begins with its features; the binary form is no file of this format."""
        return catboost.begins(data[:HEAD])
