"""The documentation says what is there: names, fields, commands and links are compared with the code."""

from __future__ import annotations

import ast
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from typer.testing import CliRunner

from cli.main import app
from local.dictionary import dictionary
from shared import messages
from shared.adapters.reports import catalogue
from shared.domain import flags
from shared.domain.copytext import BAD_COLUMNS, COLUMNS
from shared.domain.quality import rules
from shared.domain.quality.judging import asks
from shared.schemas.rows import SCHEMAS
from shared.settings import load_settings

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("local/**/*.md"), *ROOT.glob("sql/**/*.md")])
OURS = [page for page in PAGES if page.is_relative_to(ROOT / "docs") or page.parent == ROOT]
STRUCTS = [s for s in vars(messages).values() if isinstance(s, type) and issubclass(s, msgspec.Struct)]
REFUSALS = {"refuse": 0, "Problem": 0, "Unreadable": 0, "refuse_field": 1, "Choice": 1, "_classed": 1, "_decoded": 1}
REJECTIONS = {"UnsupportedFile": 0, "reject": 2}
TABLE: dict[str, Any] = yaml.safe_load((ROOT / "functions" / "functions.yaml").read_text(encoding="utf-8"))["functions"]
SCHEDULED = {name for name, spec in TABLE.items() if any("schedule" in trigger for trigger in spec["triggers"])}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(name: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its level or above."""
    level, body = heading.split(" ", 1)[0], text(name)
    assert f"\n{heading}\n" in body, f"{name} has no heading {heading!r}"
    rest = body.split(f"\n{heading}\n", 1)[1]
    return re.split(rf"^#{{2,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def table(body: str) -> list[list[str]]:
    """The cells of all table rows but the heads; code marks are taken off."""
    lines = body.splitlines()
    rows = [
        line
        for line, below in zip(lines, [*lines[1:], ""], strict=True)
        if line.startswith("| ") and not below.startswith("|---")
    ]
    return [[cell.strip().strip("`") for cell in row.strip("|").split(" | ")] for row in rows]


def first_column(body: str) -> list[str]:
    return [row[0] for row in table(body)]


def code_in(body: str) -> Iterator[str]:
    """Lines of code blocks, fenced or indented, and inline code."""
    for _, block in FENCE.findall(body):
        yield from block.splitlines()
    plain = FENCE.sub("", body)
    yield from (line.strip() for line in plain.splitlines() if line.startswith("    "))
    yield from re.findall(r"`([^`\n]+)`", plain)


@functools.cache
def help_of(*words: str) -> str:
    result = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert result.exit_code == 0, result.output
    return result.output


def commands(*words: str) -> list[str]:
    """The names in the list of commands of a help page; none where it is no group."""
    return re.findall(r"^│ ([a-z]+) {2,}", help_of(*words).partition("─ Commands ─")[2], re.MULTILINE)


def command_in(line: str) -> tuple[list[str], str] | None:
    """The words of the `sluice` command that a line begins with, the second one too where it is a group, and the rest.

    A group that must have a command is not one without it, and `sluice trigger` names a scheduled function.
    """
    found = re.match(r"(?:\.venv/bin/)?sluice ([a-z]+)\b(?: ([a-z_]+)\b)?(.*)", line)
    if not found:
        return None
    first, second, rest = found.groups()
    assert first in commands(), line
    if first == "trigger" and second:
        assert second in SCHEDULED, line
    if not second or not commands(first):
        return [first], rest
    assert second in commands(first), line
    return [first, second], rest


def passed_to(callees: dict[str, int]) -> set[str]:
    """Texts given at the named position to the named callables; a variable counts with all that is assigned to it."""
    found: set[str] = set()
    for path in [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            place = callees.get(name)
            if place is None or len(call.args) <= place:
                continue
            given = call.args[place]
            if isinstance(given, ast.Name):
                for node in ast.walk(tree):
                    if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == given.id:
                        chosen = node.value
                        parts = [chosen.body, chosen.orelse] if isinstance(chosen, ast.IfExp) else [chosen]
                        found |= {p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)}
            elif isinstance(given, ast.Constant) and isinstance(given.value, str):
                found.add(given.value)
    return found


def reason_codes() -> set[str]:
    from shared.domain.validation import _BROKEN

    sql = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "sql" / "postgres").rglob("*.sql"))
    return passed_to(REFUSALS) | set(_BROKEN) | set(re.findall(r"SELECT p_chunk_key, line, '(\w+)'", sql))


def test_every_message_is_documented() -> None:
    headings = re.findall(r"^### (\w+)$", section("docs/contracts.md", "## Messages"), re.MULTILINE)
    assert headings == [struct.__name__ for struct in STRUCTS]


def default_of(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda s: s.__name__)
def test_a_message_is_documented_field_by_field(struct: type[msgspec.Struct]) -> None:
    body = section("docs/contracts.md", f"### {struct.__name__}")
    assert [row[:3] for row in table(body)] == [
        [
            field.name,
            struct.__annotations__[field.name].replace(" | ", " or "),
            "required" if field.required else json.dumps(default_of(field), default=msgspec.to_builtins),
        ]
        for field in msgspec.structs.fields(struct)
    ]
    (example,) = (block for kind, block in FENCE.findall(body) if kind == "json")
    decoded = msgspec.json.decode(example.encode(), type=struct)
    assert json.loads(messages.encode(decoded)) == json.loads(example)


def test_copy_text_is_documented_with_its_columns() -> None:
    rows = table(section("docs/contracts.md", "## COPY text"))
    documented = {name: tuple(columns.replace("`", "").split()) for name, columns in rows}
    assert documented == {**COLUMNS, "bad": BAD_COLUMNS}


def test_every_table_of_postgres_is_documented() -> None:
    migrations = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "sql/postgres/migrations").glob("*.sql"))
    made = re.findall(r"^CREATE TABLE (\w+\.\w+)", migrations, re.MULTILINE)
    assert sorted(first_column(section("docs/contracts.md", "## Postgres"))) == sorted(set(made))


def test_the_data_dictionary_is_current() -> None:
    assert text("docs/data-dictionary.md") == dictionary(), "run `make describe`"


def test_reason_codes_are_those_of_the_code() -> None:
    assert set(first_column(section("docs/data-sources.md", "## Reason codes"))) == reason_codes()


def test_file_rejections_are_those_of_the_code() -> None:
    assert set(first_column(section("docs/data-sources.md", "## File rejections"))) == passed_to(REJECTIONS)


def test_flags_and_their_weights_are_those_of_the_code() -> None:
    rows = table(section("docs/data-sources.md", "## Flags"))
    assert {row[1]: int(row[0]) for row in rows} == {n: v for n, v in vars(flags).items() if n.isupper()}
    weights = re.findall(r"all_flags & (\d+) <> 0 THEN (\d+)", text("sql/postgres/queries/enrich_transactions.sql"))
    assert {row[0]: row[3] for row in rows} == dict(weights)


@pytest.mark.parametrize("source", SCHEMAS)
def test_a_source_is_documented_field_by_field(source: str) -> None:
    rows = {row[0]: row[1] for row in table(section("docs/data-sources.md", f"### {source}"))}
    assert rows == {name: "yes" if field.required else "no" for name, field in SCHEMAS[source].fields.items()}


def test_quality_rules_are_those_of_the_code() -> None:
    documented = [row for row in table(section("docs/data-quality.md", "## Rules")) if len(row) == 6]
    field, freshness = rules.completeness("<field>", "-", "warning"), rules.FRESHNESS
    assert documented == [
        [
            rule.name,
            "those that QUALITY_FIELDS names" if rule is field else ", ".join(rule.datasets),
            "the cadence of the source" if rule is freshness else asks(rule).removeprefix("the rule asks for "),
            "as the setting says" if rule is field else rule.severity,
            rule.dimension,
            rule.kind,
        ]
        for rule in (field, *rules.FIXED)
    ]


def test_quality_weights_and_cadences_are_those_of_the_code() -> None:
    weights = table(section("docs/data-quality.md", "## Score"))
    assert {row[0]: int(row[1]) for row in weights} == rules.WEIGHTS
    cadences = [row for row in table(section("docs/data-quality.md", "## Rules")) if len(row) == 2]
    assert {row[0]: row[1] for row in cadences} == {n: f"{hours} hours" for n, hours in rules.CADENCE_HOURS.items()}


def test_the_example_environment_is_what_the_settings_read() -> None:
    example = dict(re.findall(r"^(\w+)=(.*)$", text(".env.example"), re.MULTILINE))
    assert sorted(example) == sorted(re.findall(r'(?:text|number)\(\s*"(\w+)"', text("shared/settings.py")))
    needed = ("GOOGLE_CLOUD_PROJECT", "LANDING_BUCKET", "LAKE_BUCKET", "QUARANTINE_BUCKET")
    assert load_settings(example) == load_settings({name: example[name] for name in needed})


def test_reports_and_their_parameters_are_those_of_the_catalogue() -> None:
    documented = [[row[0], row[1], row[2]] for row in table(section("docs/reports.md", "## Reports"))]
    reports = catalogue().reports
    assert documented == [[name, one.question, ", ".join(one.parameters)] for name, one in reports.items()]
    for row in table(section("docs/reports.md", "## Reports")):
        assert row[3].startswith(f"sluice report {row[0]} "), row
    parameters = {row[0]: [row[1], row[3]] for row in table(section("docs/reports.md", "## Parameters"))}
    assert parameters == {name: [one.type, one.description] for name, one in catalogue().parameters.items()}


def test_functions_and_topics_are_those_of_the_table() -> None:
    wiring: dict[str, Any] = yaml.safe_load(text("functions/functions.yaml"))
    documented = {row[0]: row[1].replace("`", "") for row in table(section("docs/architecture.md", "### Functions"))}
    told = {
        name: ", ".join("http" if "http" in t else " ".join(map(str, *t.items())) for t in function["triggers"])
        for name, function in wiring["functions"].items()
    }
    assert documented == told
    assert first_column(section("docs/architecture.md", "### Topics")) == wiring["topics"]


@pytest.mark.parametrize("page", OURS, ids=lambda page: page.name)
def test_every_command_and_option_of_a_page_exists(page: Path) -> None:
    for line in code_in(page.read_text(encoding="utf-8")):
        for part in re.split(r"(?<!/)(?=\bsluice [a-z])", line.split("  #")[0]):
            words, rest = command_in(part) or ([], "")
            for option in re.findall(r"(?<=\s)--[a-z-]+", rest):
                assert option in help_of(*words), f"{page.name}: {line}"


def test_every_command_is_in_the_readme_and_shows_an_example_in_its_help() -> None:
    assert {name.removeprefix("sluice ") for name in first_column(section("README.md", "## Use it"))} == set(commands())
    for name in commands():
        alone = [(name,)] if not commands(name) or "Example" in help_of(name) else []
        for words in [*alone, *((name, sub) for sub in commands(name))]:
            assert f"sluice {' '.join(words)}" in help_of(*words).partition("Example")[2], words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_resolves(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in anchors, f"{page.name}: {link}"


@pytest.mark.parametrize("page", OURS, ids=lambda page: page.name)
def test_every_make_target_of_a_page_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", text("Makefile"), re.MULTILINE))
    for line in code_in(page.read_text(encoding="utf-8")):
        assert set(re.findall(r"^make ([a-z-]+)", line)) <= targets, f"{page.name}: {line}"


def test_decisions_are_numbered_without_a_gap_dated_and_linked() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    for number, path in enumerate(decisions, 1):
        body = path.read_text(encoding="utf-8")
        assert path.name.startswith(f"{number:04d}-")
        assert body.startswith(f"# {number:04d} ")
        assert re.search(r"^Date: \d{4}-\d\d-\d\d · Status: \w+", body, re.MULTILINE), path.name
        title = body.splitlines()[0].removeprefix("# ")
        assert f"[{title}](decisions/{path.name})" in text("docs/architecture.md"), title
