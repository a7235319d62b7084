"""The words of functions.yaml, what Terraform grants for them, and what docs/security.md says of them, are the same."""

from __future__ import annotations

import re

from local.table import ROOT, read_table

IAM = (ROOT / "terraform" / "iam.tf").read_text(encoding="utf-8")
SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


def _block(name: str) -> str:
    """The text of one map of iam.tf."""
    return re.split(r"\n  }\n", IAM.partition(f"  {name} = {{")[2], maxsplit=1)[0]


def _granted() -> set[str]:
    maps = re.findall(r"^    ([a-z_]+) += \{", _block("bucket_roles") + _block("project_roles"), re.M)
    assert len(maps) > 8
    return {*maps, "database_client"}


def test_every_role_of_the_table_is_granted_and_every_granted_one_is_used() -> None:
    assert {role for function in read_table().functions for role in function.roles} == _granted()


def test_the_page_says_what_each_role_allows() -> None:
    section = SECURITY.partition("## Who may do what with objects and messages")[2].partition("\n## ")[0]
    told = {word for row in re.findall(r"^\| (`.*?) \|", section, re.M) for word in re.findall(r"`([a-z_]+)`", row)}
    assert told == _granted() | {"publishes", "secrets"}
