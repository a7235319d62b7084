"""Chaos: faults are injected on purpose while rows flow, and afterwards every row must be accounted for.

    python -m local.chaos --help

Never deployed. docs/reliability.md says what is injected, what is not, and what came of it.
"""
