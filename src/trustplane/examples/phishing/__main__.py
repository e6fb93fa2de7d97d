"""``python -m trustplane.examples.phishing FOLDER``: the table and its threat model, as files to work with."""

import sys
from pathlib import Path

from trustplane.examples.phishing.table import ROWS, write_phishing_table, write_threat


def main() -> None:
    """Write ``pages.csv``, of as many rows as the second argument says, and ``threat.toml``."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    folder.mkdir(parents=True, exist_ok=True)
    write_phishing_table(folder / "pages.csv", int(sys.argv[2]) if len(sys.argv) > 2 else ROWS)
    write_threat(folder / "threat.toml")
    sys.stdout.write(f"{folder / 'pages.csv'}\n{folder / 'threat.toml'}\n")


if __name__ == "__main__":
    main()
