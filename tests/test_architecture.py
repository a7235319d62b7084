"""The architecture, held by a test: which way imports point, what is pure, and that the tables match the tree."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
FUNCTIONS = ROOT / "functions"
QUERIES = sorted((ROOT / "sql" / "postgres" / "queries").glob("*.sql"))
CODE = sorted(p for top in ("shared", "functions", "cli", "local", "deploy") for p in (ROOT / top).rglob("*.py"))
DEPLOYED = [p for p in CODE if p.relative_to(ROOT).parts[0] in ("shared", "functions")]
PURE = [p for p in DEPLOYED if p.relative_to(ROOT).parts[1] in ("domain", "schemas")]
ADAPTERS = [p for p in DEPLOYED if p.relative_to(ROOT).parts[1] == "adapters"]
IMPURE = {"google", "pg8000", "os", "time", "logging", "structlog", "flask", "functions_framework", "httpx", "socket"}
SHELL = {"adapters", "settings", "telemetry", "events", "messages", "entrypoint"}
UNUSED_QUERIES: set[str] = set()
MAX_LINES = 250
LONGER: dict[str, str] = {}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at any depth; `from a import b` counts as a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def shared_parts(path: Path) -> set[str]:
    return {module.split(".")[1] for module in imports(path) if module.startswith("shared.")}


@pytest.mark.parametrize("path", PURE, ids=name_of)
def test_the_core_imports_neither_the_outside_world_nor_the_shell(path: Path) -> None:
    assert not {module.split(".")[0] for module in imports(path)} & IMPURE
    assert not shared_parts(path) & SHELL


@pytest.mark.parametrize("path", ADAPTERS, ids=name_of)
def test_adapters_do_not_know_the_entry_point(path: Path) -> None:
    assert "entrypoint" not in shared_parts(path)


def test_the_errors_import_nothing_of_ours() -> None:
    assert not shared_parts(ROOT / "shared" / "errors.py")


@pytest.mark.parametrize("path", DEPLOYED, ids=name_of)
def test_what_is_deployed_imports_neither_a_function_nor_local_nor_cli(path: Path) -> None:
    assert not {module.split(".")[0] for module in imports(path)} & {"functions", "local", "cli", "tests"}


def test_every_folder_with_a_function_is_in_the_table_and_the_other_way_round() -> None:
    assert {p.parent.name for p in FUNCTIONS.glob("*/main.py")} == set(table())


def test_entry_points_are_unique_and_decorated_in_their_own_file() -> None:
    entries = [spec["entry_point"] for spec in table().values()]
    assert len(entries) == len(set(entries))
    for name, spec in table().items():
        tree = ast.parse((FUNCTIONS / name / "main.py").read_text(encoding="utf-8"))
        found = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == spec["entry_point"]]
        assert len(found) == 1, name
        assert "functions_framework.http" in [ast.unparse(d) for d in found[0].decorator_list], name


def test_every_trigger_topic_is_declared() -> None:
    document = yaml.safe_load((FUNCTIONS / "functions.yaml").read_text(encoding="utf-8"))
    used = {t["topic"] for spec in document["functions"].values() for t in spec["triggers"] if "topic" in t}
    assert used <= set(document["topics"])


@pytest.mark.parametrize("path", QUERIES, ids=lambda p: p.stem)
def test_a_query_begins_with_three_comment_lines(path: Path) -> None:
    head = path.read_text(encoding="utf-8").splitlines()[:3]
    assert [line[:3] for line in head] == ["-- "] * 3
    assert head[1].startswith("-- Parameters: ")
    assert head[2].startswith("-- Result: ")


def query_names(path: Path) -> Iterator[str]:
    """Patterns of the names a file may ask for: each text, and each f-string such as `verify_{name}`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            parts = [re.escape(str(v.value)) if isinstance(v, ast.Constant) else r"[a-z_]+" for v in node.values]
            if re.fullmatch(r"[a-z_]{4,}", parts[0] if parts else ""):
                yield "".join(parts)


def test_every_query_is_used_by_the_code() -> None:
    wanted = re.compile("|".join({pattern for path in CODE for pattern in query_names(path)}))
    assert {p.stem for p in QUERIES if not wanted.fullmatch(p.stem)} == UNUSED_QUERIES


def test_files_stay_short_and_the_list_of_longer_ones_is_current() -> None:
    longer = {name_of(p) for p in CODE if len(p.read_text(encoding="utf-8").splitlines()) > MAX_LINES}
    assert longer == set(LONGER)


def test_only_settings_reads_the_environment() -> None:
    readers = {
        name_of(path)
        for path in DEPLOYED
        if {"os.environ", "os.getenv"}
        & {
            ast.unparse(n)
            for n in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(n, ast.Attribute)
        }
    }
    assert readers == {"shared/settings.py"}


def table() -> dict[str, dict[str, str]]:
    functions: dict[str, dict[str, str]] = yaml.safe_load((FUNCTIONS / "functions.yaml").read_text())["functions"]
    return functions
