"""Statistics with noise, and the budgets that pay for them."""

from typing import Any

from trustplane.client.records import Record, Records
from trustplane.client.wire import Wire, segment


class Statistics:
    """Private statistics of one project (differential privacy). Each costs some of the budget of its dataset for the view's purpose."""

    def __init__(self, wire: Wire, project: str) -> None:
        self._wire = wire
        self._at = f"/projects/{segment(project)}"

    def count(self, view: str, column: str = "", *, epsilon: float | str, **said: Any) -> Record:
        """How many rows there are, or how many have a value in a column. ``where`` is a row filter."""
        return self._ask(view, "count", column, epsilon, said)

    def sum(self, view: str, column: str, *, epsilon: float | str, lower: float, upper: float, **said: Any) -> Record:
        """The sum of a column of numbers; values beyond the bounds are taken as the bound."""
        return self._ask(view, "sum", column, epsilon, {"lower": lower, "upper": upper, **said})

    def mean(self, view: str, column: str, *, epsilon: float | str, lower: float, upper: float, **said: Any) -> Record:
        """The mean of a column of numbers; values beyond the bounds are taken as the bound."""
        return self._ask(view, "mean", column, epsilon, {"lower": lower, "upper": upper, **said})

    def quantile(self, view: str, column: str, quantile: float, *, epsilon: float | str, **said: Any) -> Record:
        """A quantile of a column of numbers between ``lower`` and ``upper``: 0.5 is the median."""
        return self._ask(view, "quantile", column, epsilon, {"quantile": quantile, **said})

    def histogram(self, view: str, column: str, *, epsilon: float | str, **said: Any) -> Record:
        """How many rows there are of each of ``categories``, or in each interval between ``edges``; all else is counted as other."""
        return self._ask(view, "histogram", column, epsilon, said)

    def budgets(self, dataset: str) -> Records:
        """The budgets of a dataset, each with what it was spent on."""
        return Records(map(Record, self._wire.get(self._of(dataset))["items"]))

    def set_budget(self, dataset: str, purpose: str, epsilon: float | str, *, unit: str = "", rows: int = 1) -> Record:
        """Let this much epsilon be spent for a purpose. The noise hides a row, or at most ``rows`` rows of whoever the column ``unit`` names."""
        body = {"purpose": purpose, "epsilon": epsilon, "unit": unit, "rows": rows}
        return Record(self._wire.put(self._of(dataset), body))

    def _ask(self, view: str, kind: str, column: str, epsilon: float | str, said: dict[str, Any]) -> Record:
        body = {"kind": kind, "column": column, "epsilon": epsilon, **said}
        return Record(self._wire.post(f"{self._at}/views/{segment(view)}/statistics", body))

    def _of(self, dataset: str) -> str:
        return f"{self._at}/datasets/{segment(dataset)}/budgets"
