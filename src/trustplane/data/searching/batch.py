"""Many texts as one row of signs, in which numpy looks for all of them at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from trustplane.data.recognisers.codes import Signs

Places = npt.NDArray[np.int64]

END = "\n\0\n"
"""Stands between two texts."""
LETTER, OTHER = 0x80, 0x81
"""What stands for a letter or digit, and for anything else, beyond ASCII."""
SIZE = 1 << 20
"""Characters at which a batch ends."""
BEYOND = 16
"""Signs of padding behind the last text, so that a look ahead of a place stays inside."""


@dataclass(frozen=True)
class Batch:
    """Texts, one after the other in ``whole``. A place is an index of ``whole``."""

    texts: Sequence[str]
    whole: str

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Batch":
        return cls(texts, END.join(texts))

    @cached_property
    def starts(self) -> Places:
        """Where each text starts."""
        sizes = np.fromiter(map(len, self.texts), np.int64, len(self.texts)) + len(END)
        return np.cumsum(sizes) - sizes

    @cached_property
    def ends(self) -> Places:
        """Where each text ends."""
        return self.starts + np.fromiter(map(len, self.texts), np.int64, len(self.texts))

    @cached_property
    def code_points(self) -> npt.NDArray[np.uint32]:
        return np.frombuffer(self.whole.encode("utf-32-le", "surrogatepass"), np.uint32)

    @cached_property
    def signs(self) -> Signs:
        """ASCII as it is, :data:`LETTER` or :data:`OTHER` for what lies beyond; zeros behind the end."""
        made = np.zeros(len(self.whole) + BEYOND, np.uint8)
        if self.whole.isascii():
            made[: len(self.whole)] = np.frombuffer(self.whole.encode("ascii"), np.uint8)
            return made
        made[: len(self.whole)] = np.minimum(self.code_points, OTHER)
        beyond = np.flatnonzero(self.code_points >= LETTER)
        points, which = np.unique(self.code_points[beyond], return_inverse=True)
        made[beyond] = np.array([LETTER if chr(each).isalnum() else OTHER for each in points.tolist()], np.uint8)[which]
        return made

    def text_at(self, places: Places) -> Places:
        """Which text a place lies in."""
        return np.searchsorted(self.starts, places, "right") - 1


def batches(texts: Sequence[str]) -> Iterator[Batch]:
    """The texts in their order, in batches that stay small: what is made of one takes a hundred times its length."""
    held: list[str] = []
    size = 0
    for text in texts:
        held.append(text)
        size += len(text)
        if size >= SIZE:
            yield Batch.of(held)
            held, size = [], 0
    if held:
        yield Batch.of(held)
