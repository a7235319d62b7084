"""The modules that a function needs: its own and those of shared/, by their import statements, lazy ones too."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from deploy.bundles.errors import BundleError

Tree = Mapping[str, bytes]
"""A checkout: each file by its path from the root, with `/`."""


@dataclass(frozen=True)
class Module:
    """One source file: where it lies in the tree and in the bundle, and what it says."""

    path: str
    place: str
    code: ast.Module

    @property
    def name(self) -> str:
        """The name that it is imported by inside the bundle."""
        return self.place.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@dataclass(frozen=True)
class Closure:
    """What a function reaches: modules by their place in the bundle, foreign ones with where each is imported."""

    modules: Mapping[str, Module]
    foreign: Mapping[str, str]


def closure(tree: Tree, function: str) -> Closure:
    """Follow the imports of functions/<function>/. Raises BundleError for a module of ours that is not in the tree."""
    own = f"functions/{function}/"
    places = {path.removeprefix(own): path for path in tree if path.startswith((own, "shared/")) and _is_code(path)}
    modules: dict[str, Module] = {}
    foreign: dict[str, str] = {}
    waiting = sorted(place for place, path in places.items() if path.startswith(own))
    while waiting:
        place = waiting.pop()
        if place in modules:
            continue
        path = places[place]
        module = modules[place] = Module(path, place, _parsed(tree[path], path))
        for name, line in imports(module.code):
            found = _places(name, places)
            waiting += found
            if name.partition(".")[0] == "shared" and not _is_there(name, places):
                raise BundleError(f"{path}:{line} imports {name}, which is not in the tree")
            if not found:
                foreign.setdefault(name, f"{path}:{line}")
    return Closure(modules, foreign)


@cache
def imports(code: ast.Module) -> tuple[tuple[str, int], ...]:
    """Each name that a module imports at any depth, with its line; `from a import b` counts as a.b.

    What stands under `if TYPE_CHECKING:` never runs and does not count.
    """
    return tuple(_imports(code))


def _imports(code: ast.Module) -> Iterator[tuple[str, int]]:
    waiting: list[ast.AST] = [code]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise BundleError(f"line {node.lineno}: a relative import; write it from the root, as the rest does")
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)


def _places(name: str, places: Mapping[str, str]) -> list[str]:
    """The files that importing a name runs: each package on the way, and the module; none for a foreign name."""
    parts = name.split(".")
    steps = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
    return [place for step in steps for place in (f"{step}.py", f"{step}/__init__.py") if place in places]


def _is_there(name: str, places: Mapping[str, str]) -> bool:
    """Whether a name is a module, a package, or something inside a module; our packages have nothing but modules."""
    path, parent = name.replace(".", "/"), name.rpartition(".")[0].replace(".", "/")
    return bool({f"{path}.py", f"{path}/__init__.py", f"{parent}.py"} & places.keys())


@cache
def _parsed(text: bytes, path: str) -> ast.Module:
    return ast.parse(text, filename=path)


def _is_code(path: str) -> bool:
    return path.endswith(".py")
