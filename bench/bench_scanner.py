"""The scanner: time and memory against hashing the same bytes, and its verdicts beside those of other scanners.

    python bench/bench_scanner.py                                     # time and memory
    TRUSTPLANE_BENCH_PEERS=picklescan=/venvs/picklescan/bin/python,modelaudit=/venvs/modelaudit/bin/python \\
        python bench/bench_scanner.py --peers                         # verdicts too

Each peer runs in an environment of its own, by its own functions, with its defaults: picklescan, modelscan, fickling, modelaudit. The
hostile files are those of ``tests/corpora/hostile.py``, the harmless ones what the libraries installed here write.
"""

import hashlib
import io
import json
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

sys.path.insert(0, str(Path(__file__).parents[1]))
import joblib
import numpy as np
from tests.corpora.hostile import corpus
from tools import learn_globals

from measure import Figure, folder, options, report
from trustplane.release.scanning.report import facts
from trustplane.release.scanning.scan import scan_paths

PEERS = {
    "picklescan": """
from picklescan.scanner import scan_file_path
def judge(path):
    r = scan_file_path(path)
    return "blocked" if r.issues_count else "error" if r.scan_err else "passed" if r.scanned_files else "skipped"
""",
    "modelscan": """
from modelscan.modelscan import ModelScan
def judge(path):
    s = ModelScan().scan(path)
    n = s["summary"]
    return "blocked" if n["total_issues"] else "error" if s["errors"] else "skipped" if n["skipped"]["total_skipped"] or not n["scanned"]["total_scanned"] else "passed"
""",
    "fickling": """
from fickling.fickle import StackedPickle
from fickling.analysis import check_safety, Severity
def judge(path):
    with open(path, "rb") as f:
        stack = StackedPickle.load(f)
    worst = max((check_safety(p).severity for p in stack), default=Severity.LIKELY_SAFE)
    return "passed" if worst <= Severity.LIKELY_SAFE else "blocked"
""",
    "modelaudit": """
from modelaudit.core import scan_model_directory_or_file, determine_exit_code
def judge(path):
    code = determine_exit_code(scan_model_directory_or_file(path))
    return {0: "passed", 1: "blocked"}.get(code, "error")
""",
}
DRIVER = """
import contextlib, io, json, os, resource, signal, sys
{judge}
said = {{}}
for name in sorted(os.listdir(sys.argv[1])):
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(30)
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                verdict = judge(os.path.join(sys.argv[1], name))
        except BaseException:
            verdict = "error"
        os.write(writing, verdict.encode())
        os._exit(0)
    os.close(writing)
    said[name] = os.read(reading, 100).decode() or "error"
    os.close(reading)
    os.waitpid(child, 0)
sys.stdout.write("\\n@@" + json.dumps(said) + "\\n")
"""


def large(place: Path, size: int) -> dict[str, Path]:
    """A file of that size of each kind."""
    numbers = np.frombuffer(np.random.default_rng(0).bytes(size), "u1")
    made = {kind: place / f"large.{kind}" for kind in ("pickle", "joblib", "zip")}
    with made["pickle"].open("wb") as file:
        pickle.dump(numbers, file, 4)
    joblib.dump([numbers], made["joblib"])
    np.savez(made["zip"].with_suffix(".npz"), a=numbers)
    made["zip"] = made["zip"].with_suffix(".npz")
    made["safetensors"] = place / "large.safetensors"
    with made["safetensors"].open("wb") as file:
        header = json.dumps({"a": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
        file.write(len(header).to_bytes(8, "little") + header)
        file.write(numbers.data)
    made["gguf"] = place / "large.gguf"
    with made["gguf"].open("wb") as file:
        head = b"GGUF" + struct.pack("<IQQQcIQIQ", 3, 1, 0, 1, b"a", 1, size, 24, 0)
        file.write(head + bytes(-len(head) % 32))
        file.write(numbers.data)
    return made


def hashed(path: Path) -> tuple[float, float]:
    """Wall and CPU seconds to hash a file as it is read."""
    wall, cpu = time.perf_counter(), time.process_time()
    with path.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    return time.perf_counter() - wall, time.process_time() - cpu


def scanned(path: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a scan, its processes too."""
    wall, before = time.perf_counter(), getrusage(RUSAGE_CHILDREN)
    (found,) = scan_paths([path])
    assert not found.judgement.objections, found
    after = getrusage(RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - wall, cpu


def memory(path: Path) -> float:
    """The most that a process of a scan comes to hold, in MiB. The kernel counts for each program what its parent held, so it is looked up."""
    scan = subprocess.Popen([sys.executable, "-m", "trustplane.cli.main", "scan", str(path)], stdout=subprocess.DEVNULL)
    most = 0
    while scan.poll() is None:
        family = {scan.pid}
        for place in sorted(Path("/proc").glob("[0-9]*"), key=lambda p: int(p.name)):
            try:
                told = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
            except OSError:
                continue
            if int(told["Pid"]) in family or int(told["PPid"]) in family:
                family.add(int(told["Pid"]))
                most = max(most, int(told.get("VmHWM", "0 kB").split()[0]))
        time.sleep(0.02)
    return most / 1024


def harmless(place: Path) -> int:
    """What libraries write: each third estimator of scikit-learn, and the others."""
    from sklearn.utils import all_estimators

    things = [
        f
        for _, kind in all_estimators()[::3]
        if (f := next((g for g in map(learn_globals.fit, learn_globals.instances(kind)) if g is not None), None))
        is not None
    ]
    for library in ("numpy", "scipy", "pandas", "xgboost", "lightgbm", "catboost"):
        things += list(learn_globals.LIBRARIES[library][1]())
    for number, thing in enumerate(things):
        (place / f"{number}.pkl").write_bytes(pickle.dumps(thing))
        if number % 3 == 0:
            joblib.dump(thing, place / f"{number}.joblib", compress=3)
    import torch

    for number, thing in enumerate(learn_globals.torch()):
        file = io.BytesIO()
        torch.save(thing, file)
        (place / f"t{number}.pt").write_bytes(file.getvalue())
    weights(place)
    return len(list(place.iterdir()))


def weights(place: Path) -> None:
    """What safetensors, Keras, h5py and gguf write."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import gguf
    import keras
    import safetensors.numpy
    import safetensors.torch
    import torch

    net = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.BatchNorm1d(4))
    safetensors.torch.save_file(net.state_dict(), place / "w0.safetensors", {"format": "pt"})
    kinds = ("f2", "f4", "f8", "i1", "i4", "i8", "u1", "?")
    safetensors.numpy.save_file({kind: np.ones((3, 2), kind) for kind in kinds}, place / "w1.safetensors")
    layers = keras.layers
    models = [
        keras.Sequential(
            [layers.Input((8,)), layers.Dense(4, "relu"), layers.Dropout(0.1), layers.Dense(1, "sigmoid")]
        ),
        keras.Sequential(
            [
                layers.Input((8, 8, 1)),
                layers.Conv2D(2, 3),
                layers.BatchNormalization(),
                layers.Flatten(),
                layers.Dense(2),
            ]
        ),
        keras.Sequential(
            [
                layers.Input((5,)),
                layers.Embedding(9, 3),
                layers.Bidirectional(layers.LSTM(3)),
                layers.Dense(2, "softmax"),
            ]
        ),
    ]
    for number, model in enumerate(models):
        model.compile("adam", "mse")
        model.save(place / f"w{number}.keras")
        model.save(place / f"w{number}.h5")
        model.save_weights(place / f"w{number}.weights.h5")
    for number, kind in enumerate(("F16", "Q8_0")):
        writer = gguf.GGUFWriter(place / f"w{number}.gguf", "llama")
        writer.add_token_list(["a", "b"])
        writer.add_chat_template("{% for m in messages %}{{ m['role'] ~ ': ' ~ m['content'] }}{% endfor %}")
        form = gguf.GGMLQuantizationType[kind]
        writer.add_tensor("w", gguf.quants.quantize(np.ones((4, 64), "f4"), form), raw_dtype=form)
        writer.write_header_to_file(), writer.write_kv_data_to_file(), writer.write_tensors_to_file(), writer.close()


def verdicts(place: Path) -> None:
    """A table of what each scanner says of hostile and harmless files."""
    hostile, good = place / "hostile", place / "harmless"
    hostile.mkdir(), good.mkdir()
    fires = {each.name for each in corpus() if each.reader}
    for each in corpus():
        (hostile / each.name).write_bytes(each.data)
    count = harmless(good)
    interpreters = dict(pair.split("=", 1) for pair in os.environ.get("TRUSTPLANE_BENCH_PEERS", "").split(",") if pair)
    print(f"\n{len(fires)} files that fire, {len(corpus()) - len(fires)} hostile in other ways, {count} harmless")
    print(
        "| scanner | fire: blocked | passed | error or skipped | others: blocked | passed | error or skipped | harmless: blocked | error or skipped |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    ours = [
        {
            Path(s.path).name: {"passed": "passed", "refused": "blocked"}.get(facts(s)["verdict"], "error")
            for s in scan_paths([p])
        }
        for p in (hostile, good)
    ]
    row("trustplane", *ours, fires)
    for name, python in interpreters.items():
        row(name, *(peer(name, python, p) for p in (hostile, good)), fires)


def peer(name: str, python: str, place: Path) -> dict[str, str]:
    """The verdicts of another scanner."""
    quiet = {
        **os.environ,
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "NO_ANALYTICS": "1",
        "MODELAUDIT_NO_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
    }
    program = DRIVER.format(judge=PEERS[name])
    done = subprocess.run(
        [python, "-c", program, str(place)],
        capture_output=True,
        text=True,
        errors="replace",
        env=quiet,
        timeout=3600,
        check=False,
    )
    if "@@" not in done.stdout:
        raise SystemExit(f"{name} ended without a word: {done.stderr[-400:]}")
    return json.loads(done.stdout.rpartition("@@")[2])


def row(name: str, hostile: dict[str, str], good: dict[str, str], fires: set[str]) -> None:
    """A line of the table."""
    parts = [Counter(v for n, v in hostile.items() if (n in fires) is firing) for firing in (True, False)]
    cells = [c for p in parts for c in (p["blocked"], p["passed"], p["error"] + p["skipped"])]
    kept = Counter(good.values())
    print(
        f"| {name} | {' | '.join(map(str, [*cells, kept['blocked'], kept['error'] + kept['skipped']]))} |", flush=True
    )


def main() -> None:
    """Measure."""
    peers = "--peers" in sys.argv
    sys.argv = [a for a in sys.argv if a != "--peers"]
    settings = options(__doc__ or "")
    warnings.simplefilter("ignore")
    figures = []
    with folder(settings.folder) as name:
        size = (1 << 27) if settings.quick else 1 << 30
        for kind, path in large(Path(name), size).items():
            hashed(path)
            runs = [(hashed(path), scanned(path)) for _ in range(3)]
            plain, scan = (tuple(map(min, zip(*each, strict=True))) for each in zip(*runs, strict=True))
            figures += [
                Figure(f"{kind}: wall of a scan over that of hashing", scan[0] / plain[0], "times", 1.2, least=False),
                Figure(f"{kind}: CPU of a scan over that of hashing", scan[1] / plain[1], "times", 2, least=False),
                Figure(f"{kind}: memory of the largest process", memory(path), "MiB", 128, least=False),
            ]
            path.unlink()
        if peers:
            with tempfile.TemporaryDirectory(dir=name) as place:
                verdicts(Path(place))
    report(figures, settings)


if __name__ == "__main__":
    main()
