"""``python -m trustplane.training.runners.notebook FILE``: executes a notebook and keeps the executed copy in the output folder.

Runs inside the sandbox, in one process: a Jupyter kernel would need sockets, which the sandbox has none of, so the cells are executed by
IPython's shell itself. Parameters follow the convention of papermill: they are assigned in a new cell after the first one tagged
``parameters``, at the beginning where none is. The copy is written after each cell, so that what was reached is seen.
"""

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, TextIO

from trustplane.training import log
from trustplane.training.runners.given import given, seed_all

TAG, INJECTED = "parameters", "injected-parameters"
MOST_TEXT = 1 << 20
"""Of what one cell prints, so much stays in the copy; all of it goes to the log of the run."""


def main(file: str) -> None:
    """Execute the notebook; exit with 1 at the first cell that raises."""
    import nbformat

    told = given()
    path = Path(file)
    book = nbformat.read(path, as_version=4)
    inject(book, told.parameters)
    sys.path.insert(0, str(path.parent))
    seed_all(told.seed)
    failed = execute(book, told.output / path.name)
    sys.exit(1 if failed else 0)


def inject(book: Any, parameters: dict[str, Any]) -> None:
    """Add the cell that assigns the parameters; one from an earlier execution is replaced."""
    from nbformat.v4 import new_code_cell

    book.cells = [c for c in book.cells if INJECTED not in c.metadata.get("tags", ())]
    if not parameters:
        return
    source = "# Parameters\n" + "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    tagged = [n for n, c in enumerate(book.cells) if TAG in c.metadata.get("tags", ())]
    cell = new_code_cell(source, metadata={"tags": [INJECTED]})
    cell["id"] = INJECTED  # not by chance, so that a repetition gives the same bytes
    book.cells.insert(tagged[0] + 1 if tagged else 0, cell)


def execute(book: Any, target: Path) -> bool:
    """Execute the code cells in order, writing the copy after each; True at the first that raises."""
    import nbformat

    shell = _shell()
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        failed = _execute_cell(shell, cell, number)
        nbformat.write(book, target)
        log.progress(number, len(code), f"cell {number}")
        if failed:
            return True
    return False


def _shell() -> Any:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    os.environ.setdefault("MPLBACKEND", "agg")
    settings = Config()
    settings.HistoryManager.enabled = False  # it would write a database to the home folder
    settings.InteractiveShell.colors = "nocolor"
    settings.InteractiveShell.xmode = "Plain"
    return InteractiveShell.instance(config=settings)


def _execute_cell(shell: Any, cell: Any, number: int) -> bool:
    from IPython.utils.capture import RichOutput
    from nbformat.v4 import new_output

    cell.outputs, cell.execution_count = [], number
    shell.execution_count = number
    shown: list[RichOutput] = []
    result_of: list[dict[str, Any]] = []
    traced: list[str] = []
    out, err = _Tee(sys.stdout), _Tee(sys.stderr)
    publisher, hook = shell.display_pub, shell.displayhook
    publish, write = publisher.publish, hook.write_format_data
    publisher.publish = lambda data, metadata=None, **_: shown.append(RichOutput(data, metadata or {}))
    hook.write_format_data = lambda data, _metadata=None: result_of.append(data)
    hook.write_output_prompt = lambda: None
    shell._showtraceback = lambda _kind, _value, lines: traced.extend(lines)  # noqa: SLF001 - as ipykernel does
    try:
        with redirect_stdout(out), redirect_stderr(err):
            result = shell.run_cell(cell.source, store_history=False)
    finally:
        publisher.publish, hook.write_format_data = publish, write
    for name, stream in (("stdout", out), ("stderr", err)):
        if text := stream.kept():
            cell.outputs.append(new_output("stream", name=name, text=text))
    cell.outputs += [new_output("display_data", data=one.data, metadata=one.metadata) for one in shown]
    if result_of:
        cell.outputs.append(new_output("execute_result", data=result_of[-1], execution_count=number))
    error = result.error_before_exec or result.error_in_exec
    if error is None:
        return False
    cell.outputs.append(new_output("error", ename=type(error).__name__, evalue=str(error), traceback=traced))
    sys.stderr.write("\n".join([*traced, f"cell {number} raised {type(error).__name__}\n"]))
    return True


class _Tee(io.TextIOBase):
    """Writes to the log of the run at once, and keeps the beginning for the copy."""

    def __init__(self, log_: TextIO) -> None:
        self._log = log_
        self._kept: list[str] = []
        self._left = MOST_TEXT

    def write(self, text: str) -> int:
        self._log.write(text)
        self._log.flush()
        if self._left > 0:
            self._kept.append(text[: self._left])
            self._left -= len(text)
        return len(text)

    def flush(self) -> None:
        self._log.flush()

    def kept(self) -> str:
        return "".join(self._kept)


if __name__ == "__main__":
    main(sys.argv[1])
