"""The training of the model of names as a run: it is carried out in the sandbox, without a network, on two views.

``corpus`` holds generated texts with their spans, ``words`` the lists of known words. It leaves the weights that ship (``names.npz``,
``manifest.json``), their emissions as ``model.onnx``, and a hold-out of tokens: is this token part of a name?
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from names_crf import TAGS, Marked, Settings, encoded, hashed, judged, train
from names_onnx import emissions, token_rows
from trustplane.data.recognisers.names.decode import scores
from trustplane.data.recognisers.names.model import Manifest, Model, packed, parsed

TOLERANCE = 1e-5


def marked(table: pa.Table) -> list[Marked]:
    """The texts of a table with their spans."""
    spans = ([tuple(span) for span in json.loads(said)] for said in table["spans"].to_pylist())
    return list(zip(table["text"].to_pylist(), spans, strict=True))


def known_words(table: pa.Table) -> dict[str, list[str]]:
    """The words of each list."""
    made: dict[str, list[str]] = {}
    for name, word in zip(table["list"].to_pylist(), table["word"].to_pylist(), strict=True):
        made.setdefault(name, []).append(word)
    return made


def holdout(table: pa.Table, model: Model, graph: bytes) -> tuple[pa.Table, float]:
    """The tokens of held-out texts, and how far the graph lies from the model on them at most."""
    seen, tags = encoded(marked(table))
    rows = token_rows(seen, model)
    languages = np.array(table["language"].to_pylist())[seen.text]
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    said = session.run(["probability"], {"features": rows})[0][:, 0]
    odds = np.exp(scores(seen, model).astype(np.float64))
    apart = float(np.abs(said - (1 - odds[:, TAGS.index("O")] / odds.sum(axis=1))).max())
    columns = {"language": languages, **{f"f{at:02d}": rows[:, at] for at in range(rows.shape[1])}}
    return pa.table({**columns, "name": (tags > 0).astype(np.int8)}), apart


def write(folder: Path, name: str, content: Any) -> None:
    """Write JSON that is the same for the same content."""
    (folder / name).write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", "utf-8")


def main() -> None:
    """Read the views, train, measure, write."""
    output, source = Path(os.environ["TRUSTPLANE_OUTPUT"]), Path(os.environ["TRUSTPLANE_INPUT"])
    settings = Settings(seed=int(os.environ["TRUSTPLANE_SEED"]), **json.loads(os.environ["TRUSTPLANE_PARAMETERS"]))
    corpus = pq.read_table(source / "corpus.parquet")
    apart = corpus.filter(pc.equal(corpus["side"], "held-out"))
    known = hashed(known_words(pq.read_table(source / "words.parquet")))
    weights = packed(train(marked(corpus.filter(pc.equal(corpus["side"], "training"))), known, settings))
    digest = hashlib.sha256(weights).hexdigest()
    manifest = Manifest("names.npz", digest, TAGS, settings.bits, settings.seed)
    model = parsed(weights, manifest)
    (output / manifest.weights).write_bytes(weights)
    write(output, "manifest.json", {name: getattr(manifest, name) for name in manifest.__struct_fields__})
    width = token_rows(encoded(marked(apart.slice(0, 1)))[0], model).shape[1]
    graph = emissions(model, width, {"names.npz": f"sha256:{digest}"})
    (output / "model.onnx").write_bytes(graph)
    tokens, difference = holdout(apart, model, graph)
    if difference > TOLERANCE:
        raise SystemExit(f"the graph differs from the model by {difference:.1e}")
    pq.write_table(tokens, output / "holdout.parquet")
    largest = float((1 << settings.bits) - 1)
    names = [name for name in tokens.column_names if name[0] == "f"]
    write(output, "features.json", [{"name": n, "type": "float32", "minimum": 0.0, "maximum": largest} for n in names])
    exact = {f"exact_f1_{entity.lower()}": f1 for entity, (_, _, f1) in judged(model, marked(apart)).items()}
    write(output, "metrics.json", {**exact, "export_difference": difference, "bytes": len(weights), "texts": len(corpus) - len(apart)})  # fmt: skip
    print(f"{len(weights):,} bytes, exact F1 {exact['exact_f1_all']:.3f} on {len(apart):,} held-out texts")


if __name__ == "__main__":
    main()
