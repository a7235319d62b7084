"""A bundle: its files, as Cloud Functions expects them, and its zip, of which every byte follows from them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from deploy.bundles.brought import brought, constraints
from deploy.bundles.data import data_files
from deploy.bundles.errors import BundleError
from deploy.bundles.modules import Tree, closure
from deploy.bundles.requirements import pins, requirements

LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can tell."""


@dataclass(frozen=True)
class Bundle:
    """The files of one function by their places in the zip, and the pins of what it imports."""

    function: str
    files: Mapping[str, bytes]
    requirements: tuple[str, ...]

    @cached_property
    def archive(self) -> bytes:
        """The zip. Its files are stored, not deflated: what deflate makes of them depends on the machine's zlib."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as made:
            for place in sorted(self.files):
                info = zipfile.ZipInfo(place, LONG_AGO)
                info.create_system = 3  # Unix, on every system
                info.external_attr = 0o100644 << 16
                made.writestr(info, self.files[place])
        return out.getvalue()

    @cached_property
    def sha256(self) -> str:
        """Of the zip."""
        return hashlib.sha256(self.archive).hexdigest()

    @property
    def file(self) -> str:
        """The name of the zip: new content has a new name, so it is deployed; the same content has the same."""
        return f"{self.function}-{self.sha256[:16]}.zip"


def bundle(tree: Tree, function: str) -> Bundle:
    """Make the bundle of a function: main.py and requirements.txt at its root, shared/ and sql/ beside them.

    Raises BundleError for what it would lack at run time.
    """
    own = f"functions/{function}/"
    if f"{own}main.py" not in tree:
        raise BundleError(f"functions.yaml names {function}, but there is no {own}main.py")
    reached = closure(tree, function)
    needed = requirements(reached.foreign, pins(tree, "requirements.txt"))
    files = {path.removeprefix(own): data for path, data in tree.items() if path.startswith(own)}
    files |= {place: tree[module.path] for place, module in reached.modules.items()}
    files |= {path: tree[path] for path in data_files(reached.modules.values(), tree)}
    along = brought((pin.partition("==")[0] for pin in needed), constraints(tree))
    files["requirements.txt"] = "".join(f"{pin}\n" for pin in (*needed, "# what these bring", *along)).encode()
    return Bundle(function, files, tuple(needed))


def manifest(bundles: list[Bundle]) -> dict[str, dict[str, dict[str, object]]]:
    """What Terraform reads of the bundles: the file of each function, and what it is made of."""
    return {
        "functions": {
            made.function: {
                "file": made.file,
                "sha256": made.sha256,
                "bytes": len(made.archive),
                "files": len(made.files),
                "requirements": list(made.requirements),
            }
            for made in bundles
        }
    }
