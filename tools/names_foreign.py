"""Write a corpus of another hand, to judge discovery: ``python tools/names_foreign.py FILE --half judge``.

Its texts are those of presidio-evaluator's generator, of its templates and names; install it in an environment of its own. Nothing of
it is in training. Templates are halved by their digest: misses were looked at on the half ``dev`` alone, and figures of ``judge`` are of
templates that nobody looked at. ``all`` with the seed 42 is the corpus of earlier figures, but for values that the generator draws by chances of its own: figures
move by 0.003 from one writing to the next.
"""

import argparse
import json
from pathlib import Path
from zlib import crc32

from presidio_evaluator.data_generator import PresidioSentenceFaker
from presidio_evaluator.data_generator.presidio_sentence_faker import presidio_templates_file_path

asked = argparse.ArgumentParser(description=__doc__)
asked.add_argument("file", type=Path)
asked.add_argument("--half", choices=("dev", "judge", "all"), default="all")
asked.add_argument("--texts", type=int, default=1500)
asked.add_argument("--seed", type=int, default=42)
given = asked.parse_args()
lines = [line.strip() for line in presidio_templates_file_path.read_text().splitlines()]
chosen = [line for line in lines if given.half in ("all", ("dev", "judge")[crc32(line.encode()) % 2])]
PresidioSentenceFaker.seed(given.seed)  # it draws middle initials before it seeds itself
faker = PresidioSentenceFaker("en_US", lower_case_ratio=0.05, sentence_templates=chosen, random_seed=given.seed)
with given.file.open("w", encoding="utf-8") as file:
    for sample in faker.generate_new_fake_sentences(given.texts):
        marks = [
            {"start_position": s.start_position, "end_position": s.end_position, "entity_type": s.entity_type}
            for s in sample.spans
        ]
        file.write(json.dumps({"full_text": sample.full_text, "spans": marks}, ensure_ascii=False) + "\n")
