"""A report as a plot of characters, along the axis that the catalogue declares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import plotext  # type: ignore[import-untyped]

from shared.domain.reporting import Report

HEIGHT = 24
MOST_BARS = 20
MOST_LINES = 8
TICKS = 6


def series(report: Report, rows: Sequence[Sequence[Any]]) -> dict[str, dict[Any, float]]:
    """The points of each line, values of an equal x added up; a row without a value is left out."""
    names = [column.name for column in report.columns]
    x, y = names.index(report.plot.x), names.index(report.plot.y)
    by = names.index(report.plot.by) if report.plot.by else None
    found: dict[str, dict[Any, float]] = defaultdict(lambda: defaultdict(float))
    for row in rows:
        if row[y] is not None:
            found["" if by is None else str(row[by])][row[x]] += float(row[y])
    return {name: dict(points) for name, points in found.items()}


def drawn(report: Report, rows: Sequence[Sequence[Any]], width: int, *, colour: bool) -> str:
    """The plot as text; the first bars or lines where there are more than can be told apart."""
    unit = next(column.unit for column in report.columns if column.name == report.plot.y)
    found = series(report, rows)
    plotext.clear_figure()
    plotext.plotsize(width, HEIGHT)
    if report.plot.kind == "bar":
        labelled = [(f"{x} {name}".strip(), y) for name, points in found.items() for x, y in points.items()][:MOST_BARS]
        plotext.plotsize(width, len(labelled) + 5)
        plotext.bar([label for label, _ in labelled[::-1]], [y for _, y in labelled[::-1]], orientation="horizontal")
    else:
        places = {x: place for place, x in enumerate(sorted({x for points in found.values() for x in points}))}
        for name, points in list(found.items())[:MOST_LINES]:
            along = sorted(points)
            plotext.plot([places[x] for x in along], [points[x] for x in along], label=name or None, marker="braille")
        step = max(1, len(places) // TICKS)
        plotext.xticks(list(places.values())[::step], [str(x) for x in list(places)[::step]])
    plotext.title(f"{report.title}: {report.plot.y}" + (f", {unit}" if unit else ""))
    text: str = plotext.build()
    return text if colour else plotext.uncolorize(text)
