"""``python -m trustplane.examples.credit FOLDER``: the table of the demo and the script that trains on it, as files to work with."""

import sys
from importlib.resources import files
from pathlib import Path

from trustplane.examples.credit.table import write_credit_table


def main() -> None:
    """Write ``clients.csv`` and ``train.py``."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    folder.mkdir(parents=True, exist_ok=True)
    write_credit_table(folder / "clients.csv")
    (folder / "train.py").write_text(
        files("trustplane.examples.credit").joinpath("train.py").read_text("utf-8"), "utf-8"
    )
    sys.stdout.write(f"{folder / 'clients.csv'}\n{folder / 'train.py'}\n")


if __name__ == "__main__":
    main()
