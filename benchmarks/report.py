"""What the runs come to: medians as a table for people and as build/bench.json for tools. Pure but for the printing."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.peer import PeerRun, Way
from benchmarks.pipeline import Measured
from cli.output import print_table

Ours = Mapping[int, Sequence[Measured]]
Peers = Mapping[Way, Sequence[PeerRun]]


def as_json(ours: Ours, peers: Peers) -> dict[str, Any]:
    """The numbers; the ratio is taken against the faster of dlt's settings, at the smallest size."""
    smallest = min(ours)
    best = _best(peers)
    speed = _middle(ours[smallest], lambda run: run.rows_per_second)
    return {
        "rows": {str(size): _size(runs) for size, runs in sorted(ours.items())},
        "dlt_rows_per_second": round(best) if best else None,
        "ratio_to_dlt": round(speed / best, 2) if best else None,
        "dlt": {way: _peer(runs) for way, runs in peers.items()},
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
    }


def show(ours: Ours, peers: Peers) -> None:
    """The same as tables."""
    sizes = sorted(ours)
    told = {size: _size(ours[size]) for size in sizes}
    heads = [f"{size:,} rows" for size in sizes]
    names = ("rows_per_second_to_postgres", "seconds_to_mart", "warehouse_mb_per_minute", "peak_worker_rss_mb")
    print_table("Pipeline", ["what", *heads], [[name, *(told[size][name] for size in sizes)] for name in names])
    for title, part in (("Seconds per stage", "stage_seconds"), ("Peak memory, MB", "peak_rss_mb")):
        keys = list(dict.fromkeys(key for size in sizes for key in told[size][part]))
        print_table(title, ["", *heads], [[key, *(told[size][part].get(key) for size in sizes)] for key in keys])
    if not peers:
        return
    numbers = as_json(ours, peers)
    rows: list[list[object]] = [["pipeline", told[sizes[0]]["rows_per_second_to_postgres"], 1.0]]
    for way, peer in numbers["dlt"].items():
        ratio = round(told[sizes[0]]["rows_per_second_to_postgres"] / peer["rows_per_second"], 2)
        rows.append([f"dlt, {way}", peer["rows_per_second"], ratio])
    print_table(f"Beside dlt, {heads[0]}", ["who", "rows per second", "pipeline is times faster"], rows)


def _size(runs: Sequence[Measured]) -> dict[str, Any]:
    return {
        "rows_per_second_to_postgres": round(_middle(runs, lambda run: run.rows_per_second)),
        "seconds_to_mart": round(_middle(runs, lambda run: run.seconds_to_mart), 2),
        "warehouse_mb_per_minute": round(_middle(runs, lambda run: run.warehouse_mb_per_minute), 1),
        "peak_worker_rss_mb": max(run.peak_worker for run in runs),
        "seconds_to_postgres": round(_middle(runs, lambda run: run.seconds_to_postgres), 2),
        "stage_seconds": {name: round(median(run.stages[name] for run in runs), 2) for name in runs[0].stages},
        "peak_rss_mb": {
            name: max(run.peaks.get(name, 0.0) for run in runs) for name in sorted({n for r in runs for n in r.peaks})
        },
        "balanced": not any(run.wrong for run in runs),
        "runs": len(runs),
    }


def _peer(runs: Sequence[PeerRun]) -> dict[str, Any]:
    return {
        "rows_per_second": round(median(run.rows_per_second for run in runs)),
        "seconds": round(median(run.seconds for run in runs), 2),
        "stage_seconds": {step: round(median(run.stages[step] for run in runs), 2) for step in runs[0].stages},
        "rows_in_table": runs[0].rows_in_table,
        "peak_rss_mb": max(run.peak_mb for run in runs),
        "runs": len(runs),
    }


def _best(peers: Peers) -> float | None:
    return max((median(run.rows_per_second for run in runs) for runs in peers.values()), default=None)


def _middle(runs: Sequence[Measured], of: Callable[[Measured], float]) -> float:
    return median(map(of, runs))
