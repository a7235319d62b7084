"""The SQL files of the warehouse as they lie on disk, taken apart for the tests."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "sql" / "bigquery"
PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
NAMED = "placeholder"
"""The dataset that stands for a table which the caller names: ${feed} is placeholder.feed."""


@dataclass(frozen=True)
class SqlFile:
    """One file: three lines of comment, then one statement or a transaction of several."""

    path: Path

    @property
    def name(self) -> str:
        """Its path below sql/bigquery."""
        return str(self.path.relative_to(FOLDER))

    @property
    def table(self) -> str:
        """`dataset.table` of the folder that the file lies in; of a report or a monitoring query there is none."""
        return ".".join(self.path.parent.relative_to(FOLDER).parts)

    @property
    def builds(self) -> bool:
        """Its rows are those of a mart or a view, in the columns of schema.json."""
        return self.path.name in ("query.sql", "view.sql") and isinstance(self.trees[-1], exp.Query)

    @cached_property
    def text(self) -> str:
        """What it says; the region of a system view is that of the local warehouse."""
        return self.path.read_text(encoding="utf-8").replace("${region}", "eu")

    @cached_property
    def header(self) -> list[str]:
        """The lines of comment that the file begins with, without their marks."""
        lines = self.text.splitlines()
        code = next(number for number, line in enumerate(lines) if not line.startswith("--"))
        return [line.removeprefix("--").strip() for line in lines[:code]]

    @property
    def declared(self) -> set[str]:
        """The parameters that the header names: `feed_id of the refeed, days (why)` names feed_id and days."""
        if not self.header[1].startswith("Parameters:"):
            return set()
        listed = re.sub(r"\([^)]*\)", "", self.header[1].removeprefix("Parameters:")).split(".")[0]
        return {part.split()[0] for part in listed.split(",")} - {"none"}

    @property
    def declared_result(self) -> list[str] | None:
        """The columns that the header names, if it names any."""
        found = re.match(r"Result: (\w+(?:, \w+)*)(?: \(|$)", self.header[2])
        return found[1].split(", ") if found else None

    @property
    def placeholders(self) -> set[str]:
        """The tables that the caller names."""
        return set(PLACEHOLDER.findall("\n".join(self.text.splitlines()[len(self.header) :])))

    def named(self, dataset: str = NAMED) -> str:
        """The text with each table that the caller names standing in a dataset."""
        return PLACEHOLDER.sub(rf"{dataset}.\1", self.text)

    @cached_property
    def tokens(self) -> list[Token]:
        """The words of the file; comments are none."""
        return sqlglot.tokenize(self.named(), dialect="bigquery")

    @cached_property
    def trees(self) -> list[exp.Expression]:
        """Its statements, BEGIN and COMMIT TRANSACTION among them."""
        return [tree for tree in sqlglot.parse(self.named(), dialect="bigquery") if isinstance(tree, exp.Expression)]

    @property
    def used(self) -> set[str]:
        """The parameters that the statements use."""
        pairs = zip(self.tokens, self.tokens[1:], strict=False)
        return {name.text for mark, name in pairs if mark.token_type is TokenType.PARAMETER}

    @property
    def functions(self) -> set[str]:
        """Every name that stands right before a parenthesis, with its prefix: COUNTIF, SAFE.SUBSTR."""
        found = set()
        for number, bracket in enumerate(self.tokens[1:], 1):
            name, start = self.tokens[number - 1], number - 1
            if (
                bracket.token_type is not TokenType.L_PAREN
                or name.end + 1 != bracket.start
                or not name.text.isidentifier()
            ):
                continue
            while start >= 2 and self.tokens[start - 1].token_type is TokenType.DOT:
                start -= 2
            found.add("".join(token.text for token in self.tokens[start:number]))
        return found

    @property
    def tables(self) -> set[str]:
        """Every `dataset.table` that the statements name, and any name that is no CTE of theirs."""
        found = set()
        for tree in self.trees:
            ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
            names = {".".join(part.name for part in table.parts) for table in tree.find_all(exp.Table) if table.name}
            found |= names - ctes
        return found

    def statements(self, dataset: str) -> list[str]:
        """What can be dry-run: the statements without those that begin and end a transaction."""
        parts = [part.strip() for part in re.split(r";\s*(?:\n|$)", self.named(dataset))]
        return [part for part in parts if part and not re.search(r"^(BEGIN|COMMIT) TRANSACTION$", part, re.MULTILINE)]


FILES = [SqlFile(path) for path in sorted(FOLDER.rglob("*.sql"))]
TABLES = {f"{path.parts[-3]}.{path.parts[-2]}": path.parent for path in sorted(FOLDER.glob("*/*/metadata.yaml"))}
"""The folder of each table and view, by its name."""
