"""Attacks on models of phishing URLs within a threat model, beside the Adversarial Robustness Toolbox where it is installed, and certificates of veritas.

500 phishing pages of the test set that the models did not learn from; L2 0.5 over features scaled to their range; white-box. An evasion counts when the validator
lets it pass. ART is not among the dependencies: ``pip install --no-deps --target FOLDER adversarial-robustness-toolbox six tqdm`` and ``PYTHONPATH=FOLDER``.
"""

import dataclasses
import time
import warnings

import numpy as np
import xgboost

from measure import Figure, options, report
from phishing import Phishing, models, phishing
from trustplane.training.attacks.engine import Effort, attack
from trustplane.training.attacks.foreign import Foreign
from trustplane.training.attacks.models import open_model
from trustplane.training.threats.model import Budget, Norm
from trustplane.training.threats.validator import validate

WANTED = {
    "XGBoost": 0.9, "LightGBM": 0.9, "MLP": 0.9, "logistic regression": 0.8, "random forest": 0.8, "HistGradientBoosting": 0.8,
}  # fmt: skip


def ours(data: Phishing, fitted: dict, rows: np.ndarray) -> tuple[list[Figure], dict[str, float]]:
    found, speed = [], {}
    for name, model in fitted.items():
        opened = open_model(model)
        begun = time.process_time()
        outcome = attack(opened, data.threat, data.names, rows, data.background, Effort(seconds=300))
        taken = time.process_time() - begun
        made = outcome.evaded
        wrong = (~validate(data.threat, data.names, outcome.origins[made], outcome.evasions[made]).valid).sum()
        begun = time.process_time()  # the Toolbox does not look for the nearest evasion either
        plain = attack(opened, data.threat, data.names, rows, data.background, Effort(seconds=300, near=False))
        speed[name] = plain.evaded.sum() / (time.process_time() - begun)
        found += [
            Figure(f"{name}: valid success", outcome.success, "", WANTED[name]),
            Figure(f"{name}: CPU", taken / len(rows) * 1000, "ms/row", 10, least=False),
            Figure(f"{name}: invalid rows", float(wrong), "", 0, least=False),
        ]
    return found, speed


def art(data: Phishing, fitted: dict, rows: np.ndarray, speed: dict[str, float]) -> list[Figure]:
    """Valid evasions per CPU second of the best attack of ART on each model, its rows repaired as kindly as ours are."""
    from art.attacks.evasion import HopSkipJump, ZooAttack
    from art.estimators.classification import BlackBoxClassifier

    found = []
    low, high = data.train.min(axis=0), data.train.max(axis=0)
    width = np.where(high > low, high - low, 1.0).astype(np.float32)
    for name, model in fitted.items():
        opened = open_model(model)

        def predict(scaled, opened=opened) -> np.ndarray:
            said = opened.score(np.asarray(scaled, np.float64) * width + low)
            return np.stack([1 - said, said], axis=1).astype(np.float32)

        estimator = BlackBoxClassifier(predict, (len(data.names),), 2, clip_values=(0.0, 1.0))
        benign = ((data.train[data.train_labels == 0][:1] - low) / width).astype(np.float32)
        best, who = 0.0, "none"
        tries = {
            "ZOO": (lambda e: ZooAttack(e, max_iter=20, nb_parallel=16, use_resize=False, use_importance=False, variable_h=0.05, verbose=False), {}, 8),
            # it never ends on piecewise constant models
            **({"HopSkipJump": (lambda e: HopSkipJump(e, norm=2, max_iter=10, max_eval=200, init_eval=20, verbose=False), {"x_adv_init": benign}, 8)} if name in ("MLP", "logistic regression") else {}),
        }  # fmt: skip
        for label, (build, more, count) in tries.items():
            some = rows[:count]
            given = {k: np.repeat(v, count, axis=0) for k, v in more.items()}
            begun = time.process_time()
            made = build(estimator).generate(x=((some - low) / width).astype(np.float32), **given) * width + low
            taken = time.process_time() - begun
            rate = counted(data, opened, some, made) / taken
            best, who = (rate, label) if rate > best else (best, who)
        gradient = white_box(data, model, opened, rows, (low, width))
        best, who = max([(best, who), *gradient])
        said = f"{name}: valid evasions per CPU second"
        if best:
            found.append(Figure(f"{said}, beside ART's best ({who}, {best:.3g})", speed[name] / best, "times", 50))
        else:
            found.append(Figure(f"{said}; ART's attacks found none", speed[name], "", 1))
    return found


def white_box(data: Phishing, model, opened, rows: np.ndarray, scaling) -> list[tuple[float, str]]:
    """FGSM and PGD of ART, for models with gradients, by its own wrapper of scikit-learn or a PyTorch copy of the network."""
    from art.attacks.evasion import FastGradientMethod, ProjectedGradientDescent
    from art.estimators.classification import PyTorchClassifier

    if opened.gradient is None:
        return []
    import torch

    low, width = scaling
    scaler, last = model.steps[0][1], model.steps[-1][1]
    weights = getattr(last, "coefs_", None) or [last.coef_.T]
    biases = getattr(last, "intercepts_", None) or [last.intercept_]
    layers: list[torch.nn.Module] = []
    for place, (given, bias) in enumerate(zip(weights, biases, strict=True)):
        layer = torch.nn.Linear(*given.shape)
        w, b = given, bias
        if place == 0:  # the scaling of the pipeline and that to [0, 1] go into the first layer
            b = b + ((low - scaler.mean_) / scaler.scale_) @ w
            w = w * (width / scaler.scale_)[:, None]
        layer.weight.data, layer.bias.data = (
            torch.tensor(w.T, dtype=torch.float32),
            torch.tensor(b, dtype=torch.float32),
        )
        layers += [layer, torch.nn.ReLU()] if place < len(weights) - 1 else [layer]

    class Two(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = torch.nn.Sequential(*layers)

        def forward(self, x):
            odds = self.inner(x)
            return torch.cat([torch.zeros_like(odds), odds], dim=1)

    estimator = PyTorchClassifier(Two(), torch.nn.CrossEntropyLoss(), (len(data.names),), 2, clip_values=(0.0, 1.0))
    x = ((rows - low) / width).astype(np.float32)
    found = []
    for label, attack_ in (
        ("FGSM", FastGradientMethod(estimator, norm=2, eps=0.5)),
        ("PGD-40", ProjectedGradientDescent(estimator, norm=2, eps=0.5, eps_step=0.1, max_iter=40, verbose=False)),
    ):
        begun = time.process_time()
        made = attack_.generate(x=x) * width + low
        taken = time.process_time() - begun
        found.append((counted(data, opened, rows, made) / taken, label))
    return found


def counted(data: Phishing, opened, rows: np.ndarray, made: np.ndarray) -> int:
    """How many rows of another attack count: put right as far as they can be without looking at the model, valid, and evading."""
    rows = rows.astype(np.float32).astype(float)
    moved = np.array([f.mutable for f in data.threat.features])
    whole = np.array([f.kind == "integer" for f in data.threat.features])
    made = np.where(moved, np.where(whole, np.rint(made), made), rows)
    right = opened.score(rows) >= 0.5
    legal = validate(data.threat, data.names, rows, made).valid
    return int((right & legal & (opened.score(made) < 0.5)).sum())


def certified(data: Phishing, rows: np.ndarray) -> list[Figure]:
    """On small boosted trees: the attack against what veritas proves of the Linf box, without relations and whole numbers."""
    import veritas

    reach = 0.05
    small = xgboost.XGBClassifier(n_estimators=30, max_depth=4, n_jobs=1, random_state=0, base_score=0.5)
    small.fit(data.train, data.train_labels)
    threat = dataclasses.replace(data.threat, budget=Budget(Norm.LINF, reach))
    outcome = attack(open_model(small), threat, data.names, rows, data.background, Effort(seconds=120))
    trees = veritas.get_addtree(small, silent=True)
    scale = np.array(
        [f.scale * reach if f.mutable or f.name == "longest_words_raw" else 0.0 for f in data.threat.features]
    )
    proved = np.zeros(len(rows), bool)
    for place, row in enumerate(rows):
        box = [
            veritas.Interval(float(v - s), float(np.nextafter(np.float32(v + s), np.float32(np.inf))))
            for v, s in zip(row, scale, strict=True)
        ]
        config = veritas.Config(veritas.HeuristicType.MIN_OUTPUT)
        config.stop_when_optimal = True
        search = config.get_search(trees, box)
        search.step_for(1.0, 50)
        bounds = (
            search.current_bounds()
        )  # of the least margin in the box: of what is not looked at yet, and the best that was found
        proved[place] = min(bounds.top_of_open, bounds.best) >= 0.0
    right = outcome.right
    share = float((proved & right).sum() / right.sum())
    return [
        Figure(
            "small trees, Linf 0.05: rows attacked that are certified",
            float((outcome.evaded & proved).sum()),
            "",
            0,
            least=False,
        ),
        Figure(f"small trees: success, beside 1 - {share:.3f} certified", outcome.success, "", 1 - share, least=False),
    ]


def main() -> None:
    settings = options("Attacks within a threat model.")
    warnings.filterwarnings("ignore")
    data = phishing()
    rows = data.attacked(100 if settings.quick else 500)
    fitted = {name: model.fit(data.train, data.train_labels) for name, model in models().items()}
    figures, speed = ours(data, fitted, rows)
    figures += certified(data, rows[:60])
    figures += deadline(data, fitted["XGBoost"], rows)
    try:
        import art as _  # noqa: F401
    except ImportError:
        peer = "is not installed"
    else:
        figures += art(data, fitted, rows, speed)
        peer = "is installed"
    report(figures, settings, rows=f"{len(rows)}", art=peer)


def deadline(data: Phishing, model, rows: np.ndarray) -> list[Figure]:
    """How far past its deadline an attack comes back, on a model that hangs."""
    opened = open_model(model)
    asked = [0]

    def hangs(some: np.ndarray) -> np.ndarray:
        asked[0] += 1
        time.sleep(0 if asked[0] < 4 else 30)
        return opened.score(some)

    begun = time.monotonic()
    hung = Foreign("hangs", lambda some: time.sleep(30) or some)
    attack(
        dataclasses.replace(opened, score=hangs),
        data.threat,
        data.names,
        rows,
        data.background,
        Effort(seconds=2),
        [hung],
    )
    return [Figure("a model that hangs, deadline 2 s: back after", time.monotonic() - begun, "s", 3, least=False)]


if __name__ == "__main__":
    main()
