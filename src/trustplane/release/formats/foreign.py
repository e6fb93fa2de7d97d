"""What a file is that no format admits, told from its first bytes, so that the refusal can say it."""

import re

_MARKS: tuple[tuple[bytes, str], ...] = (
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras wrote models before version 3: save them as .keras"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"PK\x03\x04", "a ZIP archive, as PyTorch and NumPy write it: it may hold pickles"),
    (b"PK\x05\x06", "a ZIP archive with nothing in it"),
    (b"\x1f\x8b", "a gzip file: it may hold a pickle"),
    (b"BZh", "a bzip2 file: it may hold a pickle"),
    (b"\xfd7zXZ\x00", "an xz file: it may hold a pickle"),
    (b"\x04\x22\x4d\x18", "an LZ4 file: it may hold a pickle"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file: it may hold a pickle"),
    (b"\x7fELF", "a program"),
    (b"#!", "a script"),
    (b"PAR1", "a Parquet file"),
    (b"CBM1", "a CatBoost model in its binary form, which is not judged here: save it with format='json' or 'onnx'"),
)
_ZLIB = frozenset({b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda"})
_PROTOCOLS = range(2, 6)
# Protocols 0 and 1 have no header: what comes first is a list, a dictionary, a tuple, or the name of something to call.
_OLD_PICKLE = re.compile(rb"\([ldt]|[]})]q|\(*[ci][A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n")


def foreign(data: bytes) -> str:
    """What the bytes look like; ``no file that is known here`` where nothing fits."""
    tests = (
        (
            len(data) > 1 and data[0] == 0x80 and data[1] in _PROTOCOLS,
            "a pickle: loading it would run whatever it says",
        ),
        (bool(_OLD_PICKLE.match(data)), "a pickle without a header: loading it would run whatever it says"),
        *((data.startswith(mark), words) for mark, words in _MARKS),
        (data[:2] in _ZLIB, "a zlib stream, as joblib writes it: it may hold a pickle"),
        (data.lstrip()[:1] in (b"{", b"["), "a JSON text"),
    )
    return next((words for fits, words in tests if fits), "no file that is known here")
