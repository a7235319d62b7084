"""The command line of the chaos suite."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from rich.console import Console

from local.chaos.plan import ROUND
from local.chaos.run import Goal, run_chaos


def main() -> int:
    """Run, print the table, and answer 0 where every round came right and the goal was reached."""
    parser = argparse.ArgumentParser(prog="python -m local.chaos", description="Break everything while rows flow.")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--minutes", type=float, default=Goal.minutes, help="no new round after so many minutes")
    parser.add_argument("--rounds", type=int, default=Goal.rounds, help="at most so many rounds")
    parser.add_argument("--round", type=int, default=None, help="run this round alone, to look into its failure")
    options = parser.parse_args()
    console = Console(soft_wrap=True)
    goal = replace(Goal(), minutes=options.minutes, rounds=options.rounds)
    run = run_chaos(options.seed, ROUND, goal, console.print, options.round)
    for told in run.wrong:
        console.print(told, style="red")
    console.print(dict(run.faults), dict(run.kills), len(run.missing()))
    return 1 if run.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
