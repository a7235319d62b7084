"""What each resource of terraform/*.tf names, and so what Terraform makes before it."""

from __future__ import annotations

import re
from functools import cache

from local.table import ROOT

BLOCK = re.compile(r'^(resource|module) "([a-z0-9_]+)"(?: "([a-z0-9_]+)")? \{\n(.*?)^\}', re.M | re.S)
REFERENCE = re.compile(
    r"\b(google_[a-z0-9_]+\.[a-z0-9_]+|terraform_data\.[a-z0-9_]+|module\.[a-z0-9_]+|local\.[a-z0-9_]+)"
)
LOCAL = re.compile(r"^  ([a-z0-9_]+) += (.*?)(?=^  [a-z0-9_]+ += |^\}|^  #)", re.M | re.S)
COMMENT = re.compile(r"#.*$", re.M)


@cache
def references() -> dict[str, set[str]]:
    """What each resource, module and local names."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "terraform").glob("*.tf")):
        text = COMMENT.sub("", path.read_text(encoding="utf-8"))
        for what, kind, name, body in BLOCK.findall(text):
            found[f"module.{kind}" if what == "module" else f"{kind}.{name}"] = set(REFERENCE.findall(body))
        for block in re.findall(r"^locals \{\n(.*?^\})", text, re.M | re.S):
            for name, body in LOCAL.findall(block):
                found.setdefault(f"local.{name}", set()).update(REFERENCE.findall(body))
    return found


@cache
def before(address: str) -> frozenset[str]:
    """Everything that Terraform makes before it makes this."""
    seen, waiting = set[str](), [address]
    while waiting:
        for each in references().get(waiting.pop(), ()):
            if each not in seen:
                seen.add(each)
                waiting.append(each)
    return frozenset(seen)
