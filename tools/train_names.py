"""Train the model of names, places, organisations, groups and dates on generated text, and write it into a folder, to try something.

What ships is made by ``tools/build_names.py``, which trains the same way in a sandbox and keeps the record of it.
Needs the dependency group ``names``: ``python tools/train_names.py --into FOLDER``. The same seed gives the same weights on the same versions.
"""

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from names_corpus.generate import texts
from names_corpus.lists import known_words
from names_crf import TAGS, Settings, hashed, judged, train
from trustplane.data.recognisers.names.model import Manifest, packed, parsed


def main() -> None:
    """Train, judge on held-out templates and values, and write."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--texts", type=int, default=120_000)
    asked.add_argument("--rounds", type=int, default=4)
    asked.add_argument("--bits", type=int, default=19)
    asked.add_argument("--seed", type=int, default=20)
    asked.add_argument("--into", type=Path, required=True)
    given = asked.parse_args()
    start = time.process_time()
    settings = Settings(bits=given.bits, rounds=given.rounds, seed=given.seed)
    weights = packed(train(list(texts(given.texts, given.seed, held=False)), hashed(known_words()), settings))
    manifest = Manifest("names.npz", hashlib.sha256(weights).hexdigest(), TAGS, given.bits, given.seed)
    given.into.mkdir(parents=True, exist_ok=True)
    (given.into / manifest.weights).write_bytes(weights)
    told = {name: getattr(manifest, name) for name in manifest.__struct_fields__}
    (given.into / "manifest.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    print(f"{len(weights):,} bytes, {time.process_time() - start:.0f} s of CPU")
    for entity, figures in judged(parsed(weights, manifest), list(texts(4000, given.seed + 1, held=True))).items():
        print(f"{entity:14} {' '.join(f'{figure:.3f}' for figure in figures)}")


if __name__ == "__main__":
    main()
