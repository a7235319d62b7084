"""The data files that a closure reads: found by the calls of the few functions that read files of the repository."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from deploy.bundles.errors import BundleError
from deploy.bundles.modules import Module, Tree

READERS: Mapping[tuple[str, str], str] = {
    ("shared.adapters.queries", "query"): "sql/postgres/queries/{0}.sql",
    ("shared.adapters.queries", "rows_of"): "sql/postgres/queries/{1}.sql",
    ("shared.adapters.warehouse_sql", "warehouse_sql"): "sql/bigquery/{0}/{1}.sql",
    ("shared.adapters.warehouse_sql", "monitoring_sql"): "sql/bigquery/monitoring/{0}.sql",
    ("shared.adapters.warehouse_sql", "feed_schema"): "sql/bigquery/{0}/schema.json",
    ("shared.adapters.warehouse_sql", "is_partitioned"): "sql/bigquery/{0}/metadata.yaml",
    ("shared.adapters.warehouse_sql", "marts"): "sql/bigquery/marts/*/metadata.yaml",
    ("shared.adapters.reports", "catalogue"): "sql/bigquery/reports/catalogue.yaml",
    ("shared.adapters.reports", "report_sql"): "sql/bigquery/reports/{0}.sql",
    ("shared.adapters.prices", "price_list"): "shared/prices.yaml",
}
"""What each reader reads; {n} is its nth argument, in which a table `dataset.table` is a folder."""
NAMED = "sql/postgres/queries/"
"""Here a name must be told by the call itself: there are too many files for a bundle to have them all."""
ANY = r"[a-z0-9_/]+"


def data_files(modules: Iterable[Module], tree: Tree) -> set[str]:
    """The paths of the files that these modules may read.

    Raises BundleError for a name without a file, for one that cannot be told, and for a module that finds files by
    its own place without being one of READERS.
    """
    paths = sorted(path for path in tree if path.startswith(("sql/", "shared/")) and not path.endswith(".py"))
    found: set[str] = set()
    for module in modules:
        for pattern, line in patterns(module):
            files = {path for path in paths if re.fullmatch(pattern, path)}
            if not files:
                raise BundleError(f"{module.path}:{line} reads {_plain(pattern)}, and there is no such file")
            found |= files
    return found


@cache
def patterns(module: Module) -> tuple[tuple[str, int], ...]:
    """What a module reads, as patterns of paths with the lines of the calls. Raises BundleError as `data_files`."""
    _never_by_place(module)
    return tuple(_patterns(module))


def _patterns(module: Module) -> Iterator[tuple[str, int]]:
    readers = _readers(module)
    constants = _constants(module.code)
    for function, node in _inside(module.code):
        called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in readers
        if not called or function in readers:  # a reader that calls another passes its own argument on
            continue
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Name)
        template = readers[node.func.id]
        told = [_pattern(argument, constants) for argument in node.args]
        if template.startswith(NAMED) and ANY in (told[int(n)] for n in re.findall(r"\{(\d)\}", template)):
            raise BundleError(f"{module.path}:{node.lineno}: name the query here, as a text or an f-string")
        yield _filled(template, told), node.lineno
    _never_passed_on(module, readers)


def _readers(module: Module) -> dict[str, str]:
    """The readers that a module knows, by the names it calls them by: imported, its own, and those that pass on."""
    imported = {
        (node.module, alias.name)
        for node in ast.walk(module.code) if isinstance(node, ast.ImportFrom) for alias in node.names
    }  # fmt: skip
    readers = {name: t for (home, name), t in READERS.items() if home == module.name or (home, name) in imported}
    for node in module.code.body:
        if isinstance(node, ast.FunctionDef) and node.name not in readers:
            parameters = [argument.arg for argument in node.args.args]
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in readers:
                    template = readers[call.func.id]
                    position = re.search(r"\{(\d)\}", template)
                    given = call.args[int(position[1])] if position else None
                    if template.startswith(NAMED) and isinstance(given, ast.Name) and given.id in parameters:
                        readers[node.name] = f"{NAMED}{{{parameters.index(given.id)}}}.sql"
    return readers


def _inside(code: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Each node with the name of the top-level function that it stands in."""
    for statement in code.body:
        name = statement.name if isinstance(statement, ast.FunctionDef) else ""
        yield from ((name, node) for node in ast.walk(statement))


def _constants(code: ast.Module) -> dict[str, str]:
    """The module's texts that have a name."""
    return {
        target.id: statement.value.value
        for statement in code.body if isinstance(statement, ast.Assign) for target in statement.targets
        if isinstance(target, ast.Name) and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    }  # fmt: skip


def _pattern(argument: ast.expr, constants: Mapping[str, str]) -> str:
    """What an argument may be: its text, an f-string with anything in its gaps, else anything."""
    match argument:
        case ast.Constant(value=str(text)):
            return re.escape(text.replace(".", "/"))
        case ast.Name(id=name) if name in constants:
            return re.escape(constants[name].replace(".", "/"))
        case ast.JoinedStr(values=parts):
            return "".join(_pattern(part, constants) for part in parts)
        case _:
            return ANY


def _filled(template: str, told: list[str]) -> str:
    steps = re.split(r"(\{\d\}|\*)", template)
    return "".join(ANY if s == "*" else told[int(s[1])] if s.startswith("{") else re.escape(s) for s in steps)


def _never_by_place(module: Module) -> None:
    if module.name not in {home for home, _ in READERS} and any(
        isinstance(node, ast.Name) and node.id == "__file__" for node in ast.walk(module.code)
    ):
        raise BundleError(f"{module.path} finds files by its place; name it in READERS of deploy/bundles/data.py")


def _never_passed_on(module: Module, readers: Mapping[str, str]) -> None:
    """A reader that is handed over as a value would be called where no call of it is seen."""
    called = {id(node.func) for node in ast.walk(module.code) if isinstance(node, ast.Call)}
    for node in ast.walk(module.code):
        if isinstance(node, ast.Name) and node.id in readers and id(node) not in called:
            raise BundleError(f"{module.path}:{node.lineno}: call {node.id} here, so that its files can be found")


def _plain(pattern: str) -> str:
    return pattern.replace(ANY, "*").replace("\\", "")
