"""A report as a plot of characters, along the axis that the catalogue declares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import plotext

from shared.domain.reporting import Report

HEIGHT = 24
MOST_BARS = 12
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
    figure = plotext.figure
    figure.clear()
    figure.plot_size(width, HEIGHT)
    figure.title(f"{report.title}: {report.plot.y}" + (f", {unit}" if unit else ""))
    (_bars if report.plot.kind == "bar" else _lines)(figure, series(report, rows), width)
    text: str = figure.build().string(colorless=not colour)
    return text


def _bars(figure: Any, found: dict[str, dict[Any, float]], width: int) -> None:
    bars = [(f"{x} {name}".strip(), y) for name, points in found.items() for x, y in points.items()][:MOST_BARS]
    room = max(4, width // len(bars) - 2)
    labels = [label if len(label) <= room else label[: room - 1] + "…" for label, _ in bars]
    figure.draw(figure.bar(list(range(1, len(bars) + 1)), [y for _, y in bars]))
    figure.ruler("x").ticks(list(range(1, len(bars) + 1)), labels)


def _lines(figure: Any, found: dict[str, dict[Any, float]], _: int) -> None:
    along = sorted({x for points in found.values() for x in points})
    places = {x: place for place, x in enumerate(along)}
    for name, points in list(found.items())[:MOST_LINES]:
        signal = figure.signal([places[x] for x in sorted(points)], [points[x] for x in sorted(points)])
        signal.lines()
        if name:
            signal.label(name)
        figure.draw(signal)
    step = max(1, len(along) // TICKS)
    figure.ruler("x").ticks(list(range(0, len(along), step)), [str(x) for x in along[::step]])
