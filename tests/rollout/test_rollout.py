"""A release rolled out, refused, and gone back from, step by step as the builds call them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.doctor.checkup import CANARY, STEPS
from deploy.__main__ import main
from deploy.release import RECORD, sha256
from deploy.rollout import OF_THE_PAST
from tests.rollout.fakes import install, path_with

WHERE = ("--project=shop-dev", "--region=europe-west1", "--environment=dev")
FUNCTIONS = ("enrich", "validate")


def change(address: str, kind: str, *actions: str) -> dict[str, object]:
    return {"address": address, "type": kind, "change": {"actions": list(actions)}}


BUNDLE, FUNCTION = "google_storage_bucket_object", "google_cloudfunctions2_function"
CODE_ONLY = [
    change('module.function["enrich"].google_storage_bucket_object.bundle', BUNDLE, "delete", "create"),
    change('module.function["enrich"].google_cloudfunctions2_function.this', FUNCTION, "update"),
    change("google_pubsub_topic.topic", "google_pubsub_topic", "no-op"),
]


class Shop:
    """A checkout, a project with a bucket of releases, and the steps of a build on them."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self.root, self._capsys = home, home / "checkout", capsys
        self.bucket = home / "buckets" / "shop-dev-releases"
        self.bucket.mkdir(parents=True)
        for folder in ("cli", "functions", "local", "shared", "sql", "deploy", "terraform", "build/wheels"):
            (self.root / folder).mkdir(parents=True)
        for name in (
            "requirements.txt",
            "requirements-cli.txt",
            "shared/errors.py",
            "deploy/job.sh",
            "build/wheels/a.whl",
        ):
            (self.root / name).write_text(name)
        self.plan(CODE_ONLY)

    def plan(self, changes: list[dict[str, object]]) -> None:
        """What Terraform will plan from now on."""
        (self.home / "plan.json").write_text(json.dumps({"resource_changes": changes}))

    def doctor_says(self, *codes: int) -> None:
        """How the next smoke tests end."""
        (self.home / "sluice-operate.says").write_text(" ".join(map(str, codes)))

    def step(self, name: str, *words: str) -> tuple[int, str]:
        code = main([name, *WHERE, *words], self.root)
        return code, self._capsys.readouterr().out

    def release(self, version: str, commit: str = "c1") -> str:
        """Make and store a release whose bundle of `enrich` is of this version; its name."""
        package = self.root / "build" / "package"
        package.mkdir(exist_ok=True)
        entries = {name: {"file": f"{name}-{version if name == 'enrich' else 'same'}.zip"} for name in FUNCTIONS}
        for entry in entries.values():
            (package / entry["file"]).write_text(entry["file"])
        (package / "manifest.json").write_text(json.dumps({"functions": entries}))
        for name in ("plan.bin", "plan.txt"):
            (self.root / "build" / name).write_text(version)
        code, told = self.step("save", f"--commit={commit}")
        assert code == 0, told
        assert self.step("store", f"--commit={commit}")[0] == 0
        return sha256(self.root / "build" / "release" / RECORD)

    def roll_out(self, release: str, commit: str = "c1") -> tuple[int, str]:
        """The steps of cloudbuild.apply.yaml but Terraform's own; the last one's exit code and all that was told."""
        told = ""
        for step in ("fetch", "migrate", "smoke", "rollback", "finish"):
            code, words = self.step(
                step, f"--release=deploy-dev-{release}", *([f"--commit={commit}"] if step == "fetch" else [])
            )
            told += words
            if code:
                break
        return code, told

    @property
    def calls(self) -> list[str]:
        return (self.home / "calls.txt").read_text().splitlines()

    @property
    def runs(self) -> dict[str, str]:
        read: dict[str, str] = json.loads((self.bucket / "current.json").read_text())
        return read


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shop:
    monkeypatch.setenv("FAKE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", path_with(install(tmp_path)))
    return Shop(tmp_path, capsys)


def test_the_first_release_is_migrated_tested_and_noted(shop: Shop) -> None:
    name = shop.release("1")
    code, told = shop.roll_out(name)
    assert (code, told.splitlines()[-1]) == (0, f"release {name} runs")
    assert "it is the first" in told
    assert shop.runs == {"release": name, "bundles": name}
    jobs = [call for call in shop.calls if "jobs execute" in call]
    assert [call.split()[4] for call in jobs] == ["sluice-migrate", "sluice-operate"]
    assert all(f"RELEASE=/releases/{name}" in call for call in jobs)
    assert jobs[1].endswith("doctor,--json,--leave-out=backlog,--leave-out=scheduler")


def test_dead_letters_and_failed_jobs_of_the_code_before_do_not_undo_the_release_that_mends_it() -> None:
    """They are steps of the doctor, and the canary goes through whatever they would have found."""
    left_out = {step.name: step for step in STEPS if step.name in OF_THE_PAST}
    assert set(left_out) == set(OF_THE_PAST)
    assert {step.name for step in STEPS if set(step.needs) & set(left_out)} == {CANARY}


def test_a_stored_release_tells_how_it_is_approved(shop: Shop) -> None:
    name = shop.release("1")
    _, told = shop.step("store", "--commit=c1")
    assert f"git tag deploy-dev-{name} c1 && git push origin deploy-dev-{name}" in told
    assert (shop.bucket / name / "plan.txt").read_text() == "1"


def test_failed_migrations_end_the_build_before_anything_is_tested(shop: Shop) -> None:
    (shop.home / "sluice-migrate.says").write_text("1")
    code, told = shop.roll_out(shop.release("1"))
    assert code == 1
    assert "the migrations failed and nothing else was changed" in told
    assert not any("sluice-operate" in call for call in shop.calls)


def test_a_failed_smoke_test_brings_the_earlier_bundles_back_and_fails_the_build(shop: Shop) -> None:
    first = shop.release("1")
    assert shop.roll_out(first)[0] == 0
    second = shop.release("2")
    shop.doctor_says(1, 0)
    code, told = shop.roll_out(second)
    assert code == 1
    assert f"the bundles of {first} run again: enrich; the smoke test passes with them" in told
    assert shop.runs == {"release": second, "bundles": first}
    back = json.loads((shop.root / "build" / "rollback" / "manifest.json").read_text())["functions"]
    assert back["enrich"]["file"] == "enrich-1.zip"
    planned = [call for call in shop.calls if call.startswith("terraform plan")]
    assert len(planned) == 1
    assert "-var=project=shop-dev -var=region=europe-west1 -var=package_dir=../build/rollback" in planned[0]


def test_a_smoke_test_that_fails_with_the_earlier_bundles_too_says_so(shop: Shop) -> None:
    assert shop.roll_out(shop.release("1"))[0] == 0
    shop.doctor_says(1, 1)
    code, told = shop.roll_out(shop.release("2"))
    assert code == 1
    assert "STILL FAILS" in told


def test_the_first_release_has_none_to_go_back_to(shop: Shop) -> None:
    shop.doctor_says(1)
    code, told = shop.roll_out(shop.release("1"))
    assert code == 1
    assert "there is no earlier release to go back to" in told
    assert not (shop.bucket / "current.json").exists()


@pytest.mark.parametrize(
    "beyond",
    [
        change("google_bigquery_table.table", "google_bigquery_table", "delete"),
        change("module.function.google_cloudfunctions2_function.this", FUNCTION, "delete", "create"),
        change("google_pubsub_topic.topic", "google_pubsub_topic", "update"),
    ],
)  # fmt: skip
def test_going_back_never_touches_more_than_code(shop: Shop, beyond: dict[str, object]) -> None:
    assert shop.roll_out(shop.release("1"))[0] == 0
    second = shop.release("2")
    shop.doctor_says(1)
    shop.plan([*CODE_ONLY, beyond])
    code, told = shop.roll_out(second)
    assert code == 1
    assert f"going back would change more than code: {beyond['address']}" in told
    assert not any(call.startswith("terraform apply") for call in shop.calls)


def test_an_operator_goes_back_by_order_and_forward_again(shop: Shop) -> None:
    first, second = shop.release("1"), shop.release("2")
    for name in (first, second):
        assert shop.roll_out(name)[0] == 0
    for step in ("fetch", "rollback", "smoke", "finish"):
        code, told = shop.step(step, f"--back-to=back-dev-{first}", *(["--commit=c1"] if step == "fetch" else []))
        assert code == 0, told
    assert told.strip() == f"release {second} runs with the bundles of {first}"
    assert shop.runs == {"release": second, "bundles": first}
    assert shop.roll_out(second)[0] == 0
    assert shop.runs == {"release": second, "bundles": second}


def test_a_function_that_the_earlier_release_did_not_have_keeps_its_bundle(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shop.roll_out(shop.release("1"))[0] == 0
    monkeypatch.setattr("tests.rollout.test_rollout.FUNCTIONS", (*FUNCTIONS, "report"))
    shop.doctor_says(1, 0)
    assert shop.roll_out(shop.release("2"))[0] == 1
    back = json.loads((shop.root / "build" / "rollback" / "manifest.json").read_text())["functions"]
    assert sorted(back) == ["enrich", "report", "validate"]
    assert (shop.root / "build" / "rollback" / back["report"]["file"]).exists()


def test_the_same_bundles_are_nothing_to_go_back_to(shop: Shop) -> None:
    assert shop.roll_out(shop.release("1", "c1"))[0] == 0
    shop.doctor_says(1)
    code, told = shop.roll_out(shop.release("1", "c2"), "c2")
    assert code == 1
    assert "has the same bundles" in told


def spoil(shop: Shop, name: str) -> None:
    (shop.bucket / name / "plan.bin").write_text("another plan")


def add(shop: Shop, name: str) -> None:
    (shop.bucket / name / "package" / "extra.zip").write_text("more")


def lose(shop: Shop, name: str) -> None:
    (shop.bucket / name / "package" / "enrich-1.zip").unlink()


def relabel(shop: Shop, name: str) -> None:
    record = shop.bucket / name / RECORD
    record.write_text(record.read_text().replace('"c1"', '"c2"'))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (spoil, "plan.bin"),
        (add, "package/extra.zip"),
        (lose, "package/enrich-1.zip"),
        (relabel, "not what was approved"),
    ],
)
def test_what_is_not_as_it_was_approved_is_refused(shop: Shop, damage: Callable[[Shop, str], None], told: str) -> None:
    name = shop.release("1")
    damage(shop, name)
    code, words = shop.roll_out(name)
    assert code == 1
    assert told in words
    assert not any("jobs execute" in call for call in shop.calls)


def test_a_release_of_another_commit_is_refused(shop: Shop) -> None:
    code, told = shop.roll_out(shop.release("1", "c1"), "c2")
    assert code == 1
    assert "the release is of commit 'c1', this build is of 'c2'" in told


def test_a_release_of_another_environment_is_refused(shop: Shop) -> None:
    name = shop.release("1")
    where = ("--project=shop-dev", "--region=europe-west1", "--environment=prod")
    assert main(["fetch", *where, "--commit=c1", f"--release={name}"], shop.root) == 1


def test_a_release_that_is_not_there_is_refused(shop: Shop) -> None:
    code, told = shop.roll_out("0" * 64)
    assert code == 1
    assert "refused" in told


def test_a_release_without_a_plan_is_not_saved(shop: Shop) -> None:
    code, told = shop.step("save", "--commit=c1")
    assert code == 1
    assert "build/plan.bin is missing" in told
