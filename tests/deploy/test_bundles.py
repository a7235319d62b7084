"""The packer: what a bundle has, what stops it, and that its bytes follow from its content alone."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

import pytest

from deploy.bundles.bundle import Bundle, bundle
from deploy.bundles.errors import BundleError
from deploy.bundles.files import FOLDERS, LOOSE, all_bundles, read_tree, write_bundles
from deploy.bundles.modules import closure
from deploy.bundles.requirements import pins

MOST_BYTES = 1_000_000
ROOT = Path(__file__).resolve().parents[2]
MAIN = "functions/tiny/main.py"
TINY = {
    "requirements.txt": b"httpx==1.0\npg8000==2.0\nmsgspec==3.0\n",
    "constraints.txt": (ROOT / "constraints.txt").read_bytes(),
    MAIN: b"import json\nfrom shared.near import x\n",
    "functions/other/main.py": b"import httpx\n",
    "shared/__init__.py": b"",
    "shared/near.py": b"def later():\n    import pg8000.dbapi\n",
    "shared/far.py": b"import httpx\n",
    "shared/adapters/__init__.py": b"",
    "shared/adapters/queries.py": b"def query(name): ...\ndef rows_of(session, name): return query(name)\n",
    "shared/adapters/warehouse_sql.py": b"def warehouse_sql(table, name): ...\n",
    "sql/postgres/queries/one.sql": b"SELECT 1",
    "sql/postgres/queries/load_a.sql": b"SELECT 2",
    "sql/postgres/queries/load_b.sql": b"SELECT 3",
    "sql/bigquery/sales/users/merge.sql": b"SELECT 4",
    "sql/bigquery/sales/users/schema.json": b"[]",
}
QUERY = "from shared.adapters.queries import query, rows_of\n"


def tiny(source: str | None = None, **more: bytes) -> Bundle:
    tree = TINY | more
    return bundle(tree if source is None else tree | {MAIN: source.encode()}, "tiny")


@pytest.fixture(scope="module")
def tree() -> dict[str, bytes]:
    return read_tree()


@pytest.fixture(scope="module")
def bundles(tree: dict[str, bytes]) -> list[Bundle]:
    return all_bundles(tree)


def changed(before: list[Bundle], after: list[Bundle]) -> set[str]:
    return {new.function for old, new in zip(before, after, strict=True) if old.sha256 != new.sha256}


def test_a_bundle_has_its_own_files_and_the_modules_that_it_imports_and_no_others() -> None:
    assert sorted(tiny().files) == ["main.py", "requirements.txt", "shared/__init__.py", "shared/near.py"]


def test_a_library_that_is_imported_inside_a_function_is_required_and_one_of_the_standard_library_is_not() -> None:
    assert tiny().requirements == ("pg8000==2.0",)


def test_what_is_imported_for_type_checking_alone_is_not_needed() -> None:
    source = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from shared.far import x\nelse:\n    import msgspec\n"
    )
    made = tiny(source)
    assert "shared/far.py" not in made.files
    assert made.requirements == ("msgspec==3.0",)


def test_a_query_that_is_named_by_a_text_is_in_the_bundle_and_one_that_is_not_named_is_not() -> None:
    made = tiny(f"{QUERY}rows_of(None, 'one')\n")
    assert {name for name in made.files if name.startswith("sql/")} == {"sql/postgres/queries/one.sql"}


def test_an_f_string_stands_for_every_query_that_fits_it() -> None:
    made = tiny(f"{QUERY}def load(kind):\n    return _run(f'load_{{kind}}')\ndef _run(name):\n    return query(name)\n")
    assert {Path(name).stem for name in made.files if name.startswith("sql/")} == {"load_a", "load_b"}


def test_the_sql_of_a_table_is_found_by_the_name_of_a_constant() -> None:
    made = tiny(
        "from shared.adapters.warehouse_sql import warehouse_sql\nT = 'sales.users'\nwarehouse_sql(T, 'merge')\n"
    )
    assert [name for name in made.files if name.startswith("sql/")] == ["sql/bigquery/sales/users/merge.sql"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import shared.gone\n", "main.py:1 imports shared.gone"),
        ("import numpy\n", "main.py:1 imports numpy"),
        ("import structlog\n", "does not pin structlog"),
        ("from . import near\n", "relative import"),
        (f"{QUERY}query('gone')\n", "main.py:2 reads sql/postgres/queries/gone.sql"),
        (f"{QUERY}query(f'gone_{{1}}')\n", "main.py:2 reads sql/postgres/queries/gone_"),
        (f"{QUERY}query(open('x').read())\n", "main.py:2: name the query here"),
        (f"{QUERY}map(query, ['one'])\n", "main.py:2: call query here"),
        ("from pathlib import Path\nPath(__file__)\n", "finds files by its place"),
    ],
)
def test_what_a_bundle_would_lack_stops_the_packer_with_its_place(source: str, told: str) -> None:
    with pytest.raises(BundleError) as refused:
        tiny(source)
    assert told in str(refused.value)


def test_a_function_of_the_table_without_a_folder_stops_the_packer() -> None:
    with pytest.raises(BundleError, match=r"there is no functions/gone/main\.py"):
        bundle(TINY, "gone")


def test_the_bytes_of_a_zip_do_not_depend_on_times_modes_order_or_what_lies_about(
    tree: dict[str, bytes], bundles: list[Bundle], tmp_path: Path
) -> None:
    for path in reversed(list(tree)):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(tree[path])
        (tmp_path / path).chmod(0o600)
        os.utime(tmp_path / path, (1, 1))
    (tmp_path / "functions/report/__pycache__").mkdir()
    (tmp_path / "functions/report/__pycache__/main.pyc").write_bytes(b"x")
    (tmp_path / "functions/report/.main.py.swp").write_bytes(b"x")
    assert changed(bundles, all_bundles(read_tree(tmp_path))) == set()


def test_a_line_in_one_function_changes_its_zip_alone(tree: dict[str, bytes], bundles: list[Bundle]) -> None:
    path = "functions/validate/main.py"
    assert changed(bundles, all_bundles({**tree, path: tree[path] + b"\n# one line\n"})) == {"validate"}


@pytest.mark.parametrize("path", ["shared/adapters/metering.py", "shared/errors.py", "shared/domain/cells.py"])
def test_a_line_in_a_shared_module_changes_the_zips_that_have_it(
    tree: dict[str, bytes], bundles: list[Bundle], path: str
) -> None:
    having = {made.function for made in bundles if path in made.files}
    assert having
    assert changed(bundles, all_bundles({**tree, path: tree[path] + b"\n# one line\n"})) == having


def test_a_pin_that_moves_changes_the_zips_that_require_it(tree: dict[str, bytes], bundles: list[Bundle]) -> None:
    moved = tree["requirements.txt"].replace(b"marshmallow==", b"marshmallow==9")
    having = {made.function for made in bundles if any(pin.startswith("marshmallow") for pin in made.requirements)}
    assert (
        changed(bundles, all_bundles({**tree, "requirements.txt": moved}))
        == having
        == {"validate", "replay_quarantine"}
    )


def test_every_bundle_is_small_and_has_no_bytecode(bundles: list[Bundle]) -> None:
    assert {made.function: len(made.archive) for made in bundles if len(made.archive) > MOST_BYTES} == {}
    assert not [name for made in bundles for name in made.files if name.endswith(".pyc")]


def test_only_the_functions_that_ask_bigquery_or_postgres_require_its_client(
    tree: dict[str, bytes], bundles: list[Bundle]
) -> None:
    for made in bundles:
        required = {pin.partition("==")[0] for pin in made.requirements}
        imported = set(closure(tree, made.function).foreign)
        assert ("google-cloud-bigquery" in required) == any(
            name.startswith("google.cloud.bigquery") for name in imported
        )
        assert ("pg8000" in required) == ("cloud-sql-python-connector" in required)
    having = {m.function for m in bundles if any(pin.startswith("google-cloud-bigquery") for pin in m.requirements)}
    assert having == {
        "load_warehouse", "build_marts", "close_month", "report", "check_quality", "reconcile", "watch_queries",
    }  # fmt: skip
    without = {m.function for m in bundles if not any(pin.startswith("pg8000") for pin in m.requirements)}
    assert without == {"validate", "report", "product_api"}


def test_the_manifest_tells_the_zips_and_old_ones_go(bundles: list[Bundle], tmp_path: Path) -> None:
    (tmp_path / "report-0123456789abcdef.zip").write_bytes(b"old")
    write_bundles(bundles, tmp_path)
    told = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))["functions"]
    assert list(told) == [made.function for made in bundles]
    assert {path.name for path in tmp_path.glob("*.zip")} == {one["file"] for one in told.values()}
    for name, one in told.items():
        assert one["file"] == f"{name}-{one['sha256'][:16]}.zip"
        assert (tmp_path / one["file"]).stat().st_size == one["bytes"]
        with zipfile.ZipFile(tmp_path / one["file"]) as made:
            assert {"main.py", "requirements.txt", "shared/__init__.py"} <= set(made.namelist())


def test_every_distribution_that_is_pinned_for_the_functions_is_required_by_one(
    tree: dict[str, bytes], bundles: list[Bundle]
) -> None:
    pinned = set(pins(tree, "requirements.txt").values())
    assert pinned == {pin for made in bundles for pin in made.requirements}


def test_the_page_has_a_row_for_every_function(bundles: list[Bundle]) -> None:
    page = (ROOT / "docs" / "bundles.md").read_text(encoding="utf-8")
    assert [m.function for m in bundles if f"\n| {m.function} |" not in page] == []


def test_a_checkout_that_was_copied_packs_the_same(bundles: list[Bundle], tmp_path: Path) -> None:
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in LOOSE:
        shutil.copy(ROOT / name, tmp_path)
    main = tmp_path / "functions/notify/main.py"
    main.write_text(main.read_text(encoding="utf-8") + "# one line\n", encoding="utf-8")
    assert changed(bundles, all_bundles(read_tree(tmp_path))) == {"notify"}
