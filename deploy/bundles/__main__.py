"""`make package`: write the bundles and say what is in them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from deploy.bundles.bundle import Bundle
from deploy.bundles.errors import BundleError
from deploy.bundles.files import PACKAGE, all_bundles, read_tree, write_bundles


def main() -> None:
    """Pack all functions into a folder."""
    parser = argparse.ArgumentParser(prog="python -m deploy.bundles", description=__doc__)
    parser.add_argument("--into", type=Path, default=PACKAGE, help="default: build/package")
    options = parser.parse_args()
    try:
        bundles = all_bundles(read_tree())
    except BundleError as exc:
        sys.exit(f"package: {exc}")
    write_bundles(bundles, options.into)
    _show(bundles, options.into)


def _show(bundles: list[Bundle], folder: Path) -> None:
    table = Table("function", "files", "requirements", "KiB", "sha256", title=f"{len(bundles)} bundles in {folder}")
    for made in bundles:
        names = " ".join(pin.partition("==")[0] for pin in made.requirements)
        size = f"{len(made.archive) / 1024:,.0f}"
        table.add_row(made.function, str(len(made.files)), names, size, made.sha256[:16])
    Console().print(table)


if __name__ == "__main__":
    main()
