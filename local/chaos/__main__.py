"""Break everything while rows flow, and see that every row is accounted for afterwards.

python -m local.chaos                          # until 1,000 faults, 14 minutes at most
python -m local.chaos --minutes 2              # a taste of it
python -m local.chaos --seed 7 --round 12      # that round alone, to look into its failure
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from rich.console import Console

from local.chaos.plan import ROUND
from local.chaos.report import show, write_docs, write_json
from local.chaos.run import Goal, run_chaos


def main() -> int:
    """Run and print the tables; 0 where every round came right and the goal (or the asked part of it) was reached."""
    parser = argparse.ArgumentParser(
        prog="python -m local.chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", default="1", help="what the faults and the rows are drawn from (1)")
    parser.add_argument("--minutes", type=float, default=Goal.minutes, help="no new round after so many minutes")
    parser.add_argument("--rounds", type=int, default=Goal.rounds, help="at most so many rounds")
    parser.add_argument("--round", type=int, default=None, help="run this round alone, after one of calm")
    parser.add_argument("--write-docs", action="store_true", help="put the tables into docs/reliability.md")
    options = parser.parse_args()
    console = Console(soft_wrap=True, highlight=False)
    goal = replace(Goal(), minutes=options.minutes, rounds=options.rounds)
    run = run_chaos(options.seed, ROUND, goal, console.print, options.round)
    show(run, console)
    write_json(run)
    if options.write_docs:
        write_docs(run)
    for told in run.wrong:
        console.print(told, style="red")
    if run.wrong:
        number = run.results[-1].number
        console.print(f"again: python -m local.chaos --seed {options.seed} --round {number}", style="red")
    asked_for_part = options.round is not None or goal != Goal()
    if run.missing() and not asked_for_part:
        console.print(f"not reached: {', '.join(run.missing())}", style="red")
    return 1 if run.wrong or (run.missing() and not asked_for_part) else 0


if __name__ == "__main__":
    sys.exit(main())
