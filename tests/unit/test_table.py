"""The table of functions: what is wrong with a row is told with its line."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from local.table import NAME, ROOT, TABLE, BadTable, Function, read_table

ADAPTERS = ROOT / "shared" / "adapters"


def line_of(name: str) -> int:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(f"  {name}:"))


@pytest.mark.parametrize(
    ("row", "old", "new", "told"),
    [
        ("notify", "{topic: alerts}", "{queue: alerts}", "a trigger is one of topic, schedule or http, not queue"),
        ("notify", "{topic: alerts}", "{topic: alarms}", "topic alarms is not listed under topics"),
        ("notify", "entry_point: notify", "entry_point: enrich", "entry point enrich is that of enrich too"),
        ("notify", "  notify:", "  notifies:", r"functions/notifies/main\.py is missing"),
        (
            "notify",
            "  notify:",
            "  by:",
            "the name must be 3 to 23 small letters and _, as accounts are named after it",
        ),
        ("notify", "  notify:", "  notify_by_every_known_way:", "the name must be 3 to 23"),
        ("notify", "  notify:", "  notify_:", "the name must be 3 to 23"),
        ("notify", "  notify:", "  not:", r"functions/not/main\.py is missing"),
        ("notify", "  notify:", "  report:", f"report is in line {line_of('report')} too"),
    ],
)
def test_a_wrong_row_is_told_with_its_line(tmp_path: Path, row: str, old: str, new: str, told: str) -> None:
    copy = tmp_path / "functions.yaml"
    text = TABLE.read_text(encoding="utf-8")
    assert old in text
    copy.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(BadTable, match=rf"functions\.yaml:{line_of(row)}: .*{told}"):
        read_table(copy)


def test_the_local_cloud_and_terraform_take_the_same_names() -> None:
    module = (ROOT / "terraform" / "modules" / "table" / "main.tf").read_text(encoding="utf-8")
    assert f'regex("{NAME.pattern}", name)' in module
    assert module.count("3 to 23 small letters and _, as accounts are named after it") == 1


def test_a_topic_that_nobody_takes_is_told_with_its_line(tmp_path: Path) -> None:
    copy = tmp_path / "functions.yaml"
    text = TABLE.read_text(encoding="utf-8")
    copy.write_text(text.replace("topics: [uploads", "topics: [nobodys, uploads"), encoding="utf-8")
    line = next(number for number, each in enumerate(text.splitlines(), 1) if each.startswith("topics:"))
    with pytest.raises(BadTable, match=rf"functions\.yaml:{line}: no function takes topic nobodys"):
        read_table(copy)


def _calls(tree: ast.Module) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
    """Each function or method of a module with the names that it uses and the topics that it names to `publish`."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    for node in [*tree.body, *(each for one in classes for each in one.body)]:
        if isinstance(node, ast.FunctionDef):
            names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            names |= {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
            yield node.name, frozenset(names), frozenset(_topics(node))


def _topics(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            if node.func.attr == "publish" and isinstance(node.args[0], ast.Constant):
                yield str(node.args[0].value)
            elif node.func.attr == "send" and "letter" in ast.unparse(node.args[0]):
                yield from read_table().topics  # a dead letter goes to the topic that it was on


@cache
def _parsed(path: Path) -> tuple[tuple[str, ...], tuple[tuple[str, frozenset[str], frozenset[str]], ...]]:
    """The adapters that a module imports, and its functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported: list[str] = []
    foreign = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module.startswith("shared.adapters"):
                named = [f"{node.module}.{alias.name}" for alias in node.names]
                imported += [each.split(".")[2] for each in [node.module, *named] if each.count(".") > 1]
            else:
                foreign |= {alias.asname or alias.name for alias in node.names}
    return tuple(imported), tuple((name, names - foreign, topics) for name, names, topics in _calls(tree))


def _published(function: Function) -> set[str]:
    """The topics that a function can publish to: by the names that its page uses, and what these use in turn."""
    imported, page = _parsed(function.source)
    modules, open_modules = set[str](), list(imported)
    while open_modules:
        module = open_modules.pop()
        path = ADAPTERS / f"{module}.py"
        if module not in modules and path.exists():
            modules.add(module)
            open_modules += _parsed(path)[0]
    known: dict[str, list[tuple[frozenset[str], frozenset[str]]]] = {}
    for module in modules:
        for name, names, topics in _parsed(ADAPTERS / f"{module}.py")[1]:
            known.setdefault(name, []).append((names, topics))
    waiting = {name for _, names, _ in page for name in names}
    found, seen = {topic for _, _, topics in page for topic in topics}, set[str]()
    while waiting:
        name = waiting.pop()
        for names, topics in known.get(name, []) if name not in seen else []:
            waiting |= names
            found |= topics
        seen.add(name)
    return found


@pytest.mark.parametrize("function", read_table().functions, ids=lambda function: function.name)
def test_a_function_may_publish_to_the_topics_that_its_code_names_and_to_no_other(function: Function) -> None:
    assert _published(function) == set(function.publishes)
