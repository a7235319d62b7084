"""What terraform/bigquery_access.tf lets each function do in each dataset."""

from __future__ import annotations

import re
from functools import cache

from local.table import ROOT

PAGE = ROOT / "terraform" / "bigquery_access.tf"


@cache
def granted() -> dict[str, dict[str, str]]:
    """Function => dataset => reads or writes."""
    (block,) = re.findall(r"warehouse_use = \{\n(.*?)\n  \}", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    rows = re.findall(r"^\s+(\w+)\s*=\s*\{(.*?)\}", block, re.MULTILINE)
    return {name: dict(re.findall(r"(\w+)\s*=\s*local\.(\w+)", use)) for name, use in rows}
