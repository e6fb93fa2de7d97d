"""Pictures that the server draws as SVG: curves and graphs. No script, no style of their own: the classes are the console's.

Whatever is written into a picture goes through :mod:`markupsafe`, as in the pages.
"""

from collections.abc import Mapping, Sequence

from markupsafe import Markup, escape

from trustplane.compliance.lineage_graph import KINDS, Graph, Node

_WIDTH, _HEIGHT, _EDGE = 480, 120, 4
_COLUMN, _BOX, _ROW, _TALL, _HEAD = 220, 180, 56, 40, 28
_TITLES = {
    "dataset": "Dataset versions",
    "view": "Views",
    "run": "Runs",
    "model": "Model versions",
    "deployment": "Deployments",
}
_PAGES = {
    "dataset": "/console/datasets/{}",
    "view": "/console/projects/{}/views",
    "run": "/console/runs/{}",
    "model": "/console/models/{}",
    "deployment": "/console/deployments/{}",
}


def curve(name: str, points: Mapping[str, Sequence[float | None]]) -> Markup:
    """A metric over its steps, as one line with gaps where there is no number; its lowest and highest value are in the title."""
    steps, values = points["steps"], points["values"]
    pairs = list(zip(steps, values, strict=True))
    numbers = [value for value in values if value is not None]
    if not numbers:
        return Markup("")
    low, high = min(numbers), max(numbers)
    first, last = float(pairs[0][0] or 0), float(pairs[-1][0] or 0)
    paths: list[str] = []
    pen_down = False
    for step, value in pairs:
        if value is None:
            pen_down = False
            continue
        x = _EDGE + (_WIDTH - 2 * _EDGE) * ((float(step or 0) - first) / (last - first) if last > first else 0.5)
        y = _HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * ((value - low) / (high - low) if high > low else 0.5)
        paths.append(f"{'L' if pen_down else 'M'}{x:.1f} {y:.1f}")
        pen_down = True
    said = f"{name}: from {numbers[0]:.4g} to {numbers[-1]:.4g}, lowest {low:.4g}, highest {high:.4g}"
    return Markup(
        '<svg class="curve" viewBox="0 0 {w} {h}" role="img" aria-label="{said}"><title>{said}</title>'
        '<path class="base" d="M{e} {b}H{r}"/><path class="line" d="{d}"/></svg>'
    ).format(
        w=_WIDTH, h=_HEIGHT, e=_EDGE, b=_HEIGHT - _EDGE, r=_WIDTH - _EDGE, said=said, d=" ".join(paths) + "h0.1"
    )  # h0.1: a single point shows as a dot


def graph(shown: Graph, focus: str = "") -> Markup:
    """A lineage graph: a column for each kind, in the order of the lifecycle; every node leads to its page."""
    columns = [[n for n in shown.nodes.values() if n.kind == kind] for kind in KINDS]
    places = {
        node.key: (at * _COLUMN, _HEAD + row * _ROW)
        for at, column in enumerate(columns)
        for row, node in enumerate(sorted(column, key=lambda n: n.id))
    }
    height = _HEAD + max((len(column) for column in columns), default=1) * _ROW
    width = _COLUMN * len(KINDS) - (_COLUMN - _BOX)
    heads = (
        Markup('<text class="head" x="{}" y="14">{}</text>').format(at * _COLUMN, _TITLES[kind])
        for at, kind in enumerate(KINDS)
    )
    lines = (_line(places[a], places[b]) for a, b in sorted(shown.edges))
    boxes = (_box(node, places[node.key], node.key == focus) for node in shown.nodes.values())
    return Markup('<svg class="graph" viewBox="0 0 {} {}" width="{}" role="img" aria-label="Lineage">{}</svg>').format(
        width, height, width, Markup("").join((*heads, *lines, *boxes))
    )


def _line(a: tuple[int, int], b: tuple[int, int]) -> Markup:
    x1, y1, x2, y2 = a[0] + _BOX, a[1] + _TALL // 2, b[0], b[1] + _TALL // 2
    middle = (x1 + x2) // 2
    return Markup('<path class="edge" d="M{} {}C{} {} {} {} {} {}"/>').format(x1, y1, middle, y1, middle, y2, x2, y2)


def _box(node: Node, place: tuple[int, int], focused: bool) -> Markup:
    x, y = place
    short = node.label if len(node.label) <= 26 else node.label[:25] + "…"
    return Markup(
        '<a href="{href}"><title>{label}, {state}</title><rect class="node {kind}{focus}" x="{x}" y="{y}" width="{w}" height="{h}" rx="6"/>'
        '<text x="{tx}" y="{ty}">{short}</text><text class="state" x="{tx}" y="{sy}">{state}</text></a>'
    ).format(
        href=_PAGES[node.kind].format(escape(node.page)),
        label=node.label,
        state=node.state,
        kind=node.kind,
        focus=" focus" if focused else "",
        x=x,
        y=y,
        w=_BOX,
        h=_TALL,
        tx=x + 10,
        ty=y + 17,
        sy=y + 32,
        short=short,
    )
