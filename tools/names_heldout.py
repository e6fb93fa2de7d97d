"""Write the held-out corpus that judges the model of names: ``python tools/names_heldout.py FILE --texts 600``.

Its templates and its values (closed lists aside) were never in training. The tests keep one of 600 texts as the generator of the first model wrote it, so that figures can be compared.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from names_corpus.generate import texts

asked = argparse.ArgumentParser(description=__doc__)
asked.add_argument("file", type=Path)
asked.add_argument("--texts", type=int, default=600)
asked.add_argument("--seed", type=int, default=2026)
given = asked.parse_args()
with given.file.open("w", encoding="utf-8") as file:
    for text, spans in texts(given.texts, given.seed, held=True):
        marks = [{"start_position": start, "end_position": end, "entity_type": entity} for start, end, entity in spans]
        file.write(json.dumps({"full_text": text, "spans": marks}, ensure_ascii=False) + "\n")
