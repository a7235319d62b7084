"""Data with a known truth: files for every source, and the counts and sums that loading them must give.

The truth is kept by the generator's own books while it writes, never by the pipeline's code, so that the two can
disagree.
"""

from local.generate.shares import DIRT_KINDS
from local.generate.truth import Truth
from local.generate.writer import SHAPES, generate

__all__ = ["DIRT_KINDS", "SHAPES", "Truth", "generate"]
