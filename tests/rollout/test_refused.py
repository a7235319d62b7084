"""Releases that are not saved, and those that are not rolled out: what is told, and that nothing was changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deploy.__main__ import main
from deploy.release import RECORD
from tests.rollout.shop import CODE_ONLY, Shop, change


def locked(shop: Shop) -> None:
    state = shop.home / "buckets" / "shop-dev-terraform" / "sluice"
    state.mkdir(parents=True)
    for name in ("default.tfstate", "default.tflock"):
        (state / name).write_text("{}")


def test_nothing_is_migrated_while_the_state_is_locked(shop: Shop) -> None:
    locked(shop)
    code, told = shop.roll_out(shop.release("1"))
    assert code == 1
    assert "gs://shop-dev-terraform/sluice/default.tflock is there" in told
    assert not any("jobs execute" in call for call in shop.calls)


QUEUE, TOPIC = "google_pubsub_subscription", "google_pubsub_topic"


@pytest.mark.parametrize(("kind", "actions"), [(QUEUE, ["delete"]), (TOPIC, ["delete"]), (QUEUE, ["create", "delete"])])
def test_a_plan_that_drops_messages_under_way_is_no_release(shop: Shop, kind: str, actions: list[str]) -> None:
    dropped = change(f'{kind}.push["enrich-chunks"]', kind, *actions, name="enrich-chunks")
    shop.plan([*CODE_ONLY, dropped], "enrich-uploads")
    with pytest.raises(
        AssertionError, match=r"the plan deletes google_pubsub_\w+\.push\[.enrich-chunks.\] with the mess"
    ):
        shop.release("1")
    shop.plan([*CODE_ONLY, dropped], "enrich-chunks")
    shop.release("1")


def test_a_release_may_make_and_change_what_holds_messages(shop: Shop) -> None:
    made = [
        change(f"{kind}.one", kind, action, name="one") for kind in (QUEUE, TOPIC) for action in ("create", "update")
    ]
    shop.plan([*CODE_ONLY, *made])
    shop.release("1")


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
