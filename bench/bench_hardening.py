"""Hardened models beside undefended ones: phishing URLs and credit default, attacked on rows that neither was fitted to, with twice the search budget.

Robust accuracy is the share of attacked rows that are decided rightly and have no evasion. The threshold of the hardened model is set so that as many rows
are predicted 1 as by the undefended one. Credit: the threshold is the share of defaults; limit and payment status are the bank's, amounts the client's.
"""

import dataclasses
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from measure import Figure, options, report
from phishing import models, phishing
from trustplane.examples.credit.table import write_credit_table
from trustplane.training.attacks.engine import Effort
from trustplane.training.attacks.models import open_model
from trustplane.training.hardening import Recipe, harden
from trustplane.training.hardening.standing import Table, stand
from trustplane.training.threats.draft import draft_threat
from trustplane.training.threats.model import Knowledge, ThreatModel

AMOUNTS = [*(f"BILL_AMT{n}" for n in range(1, 7)), *(f"PAY_AMT{n}" for n in range(1, 7))]
STATUS = ["LIMIT_BAL", *(f"PAY_{n}" for n in (0, 2, 3, 4, 5, 6))]
SEARCH = 1200


def credit() -> tuple[Table, Table, ThreatModel]:
    import pyarrow.csv

    with tempfile.TemporaryDirectory() as folder:
        write_credit_table(Path(folder) / "clients.csv")
        table = pyarrow.csv.read_csv(Path(folder) / "clients.csv")
    names = (*STATUS, *AMOUNTS)
    rows = np.column_stack([table[n].to_numpy() for n in names]).astype(float)
    labels = table["default payment"].to_numpy()
    threat = draft_threat("amounts", names, rows, immutable=STATUS, knowledge=Knowledge.WHITE_BOX)
    learn, test = train_test_split(np.arange(len(labels)), test_size=0.3, random_state=0, stratify=labels)
    whole = Table(names, rows, labels)
    return whole.taken(learn), whole.taken(test), dataclasses.replace(threat, draft=False)


def compared(
    name: str, model, learn: Table, test: Table, threat: ThreatModel, threshold: float, rows: int
) -> list[Figure]:
    begun = time.process_time()
    hardened = harden(model, learn.features, learn.labels, learn.names, threat, Recipe(threshold=threshold))
    taken = time.process_time() - begun
    plain = model.fit(learn.features.astype(np.float32), learn.labels)
    background = learn.of(1 - threat.goal.start, 3000)
    opened = dataclasses.replace(open_model(plain), threshold=threshold)
    before, _ = stand("undefended", opened, test, threat, background, Effort(SEARCH, 300), rows=rows)
    harder = dataclasses.replace(open_model(hardened.model), threshold=hardened.threshold)
    after, _ = stand(hardened.chosen.name, harder, test, threat, background, Effort(2 * SEARCH, 300), rows=rows)
    said = f"{name} ({hardened.chosen.name})"
    return [
        Figure(f"{said}: robust accuracy, beside {before.robust_accuracy:.3f}", after.robust_accuracy, "", 0.55),
        Figure(
            f"{said}: times the undefended", after.robust_accuracy / max(before.robust_accuracy, 1 / rows), "times", 5
        ),
        Figure(f"{said}: AUC loss, from {before.auc:.4f}", before.auc - after.auc, "", 0.02, least=False),
        Figure(f"{said}: MCC lost, from {before.mcc:.3f}", before.mcc - after.mcc, "", 0.1, least=False),
        Figure(
            f"{said}: clean accuracy of the class lost, from {before.clean_accuracy:.3f}",
            before.clean_accuracy - after.clean_accuracy,
            "",
            0.1,
            least=False,
        ),
        Figure(f"{said}: CPU of hardening", taken, "s", 300, least=False),
    ]


def main() -> None:
    settings = options("Hardened models beside undefended ones.")
    warnings.filterwarnings("ignore")
    rows = 100 if settings.quick else 500
    data = phishing()
    learn = Table(data.names, data.train.astype(float), data.train_labels)
    test = Table(data.names, data.test.astype(float), data.test_labels)
    wanted = ("XGBoost",) if settings.quick else ("XGBoost", "LightGBM", "logistic regression", "MLP")
    figures = []
    for name in wanted:
        figures += compared(f"phishing, {name}", models()[name], learn, test, data.threat, 0.5, rows)
    learn, test, threat = credit()
    for name in wanted[:2]:
        figures += compared(f"credit, {name}", models()[name], learn, test, threat, float(learn.labels.mean()), rows)
    report(figures, settings, rows=f"{rows}")


if __name__ == "__main__":
    main()
