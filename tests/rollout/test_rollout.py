"""A release rolled out and gone back from, step by step as the builds call them."""

from __future__ import annotations

import json

import pytest

from cli.doctor.checkup import CANARY, STEPS
from deploy.rollout import OF_THE_PAST
from tests.rollout.shop import CODE_ONLY, FUNCTION, FUNCTIONS, Shop, change


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


def test_the_text_of_a_plan_begins_with_the_commit_that_an_approver_compares(shop: Shop) -> None:
    name = shop.release("1", "c1")
    told = "Release of commit c1 for dev, project shop-dev.\n\n1"
    assert (shop.bucket / name / "plan.txt").read_text() == told


def test_going_back_waits_for_whoever_changes_something_now(shop: Shop) -> None:
    first, second = shop.release("1"), shop.release("2")
    for name in (first, second):
        assert shop.roll_out(name)[0] == 0
    assert shop.go_back(first)[0] == 0
    called = [call for call in shop.calls if call.startswith(("terraform plan", "terraform apply"))]
    assert len(called) == 2
    assert all("-lock-timeout=10m" in call for call in called)


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
    name = shop.release("1")
    code, told = shop.roll_out(name)
    assert code == 1
    assert "there is no earlier release to go back to" in told
    assert shop.runs == {"release": name, "bundles": name}


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
    assert shop.runs == {"release": second, "bundles": second}
    assert not any(call.startswith("terraform apply") for call in shop.calls)


def test_an_operator_goes_back_by_order_and_forward_again(shop: Shop) -> None:
    first, second = shop.release("1"), shop.release("2")
    for name in (first, second):
        assert shop.roll_out(name)[0] == 0
    code, told = shop.go_back(first)
    assert code == 0, told
    assert told.splitlines()[-1] == f"release {second} runs with the bundles of {first}"
    assert shop.runs == {"release": second, "bundles": first}
    assert shop.roll_out(second)[0] == 0
    assert shop.runs == {"release": second, "bundles": second}


def test_an_order_is_compared_with_the_bundles_that_run_and_not_with_those_of_the_commit(shop: Shop) -> None:
    first, second = shop.release("1"), shop.release("2")
    for name in (first, second):
        assert shop.roll_out(name)[0] == 0
    assert shop.go_back(first)[0] == 0
    code, told = shop.go_back(first)
    assert code == 1
    assert "the earlier release has the bundles that run" in told
    code, told = shop.go_back(second)
    assert code == 0, told
    assert f"the bundles of {second} run again: enrich" in told
    assert shop.runs == {"release": second, "bundles": second}


def test_a_function_that_the_earlier_release_did_not_have_keeps_its_bundle(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shop.roll_out(shop.release("1"))[0] == 0
    monkeypatch.setattr("tests.rollout.shop.FUNCTIONS", (*FUNCTIONS, "report"))
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
    assert "has the bundles that run" in told
