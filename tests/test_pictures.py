"""The picture of what is deployed, in docs/architecture.md: it can be read, and it is what functions.yaml says."""

from __future__ import annotations

import re

import pytest

from local.table import read_table
from tests.mermaid import Flowchart, parse
from tests.test_docs import FENCE, section

TRIGGERS = {"scheduler", "operators"}


@pytest.fixture(scope="module")
def picture() -> Flowchart:
    blocks = [body for name, body in FENCE.findall(section("docs/architecture.md", "## Deployed")) if "mermaid" in name]
    (found,) = blocks
    return parse(found)


def test_every_function_and_topic_is_in_the_picture_and_no_other(picture: Flowchart) -> None:
    wiring = read_table()
    drawn = {node for node, group in picture.groups.items() if group in ("pushed", "called")}
    assert drawn == {function.name for function in wiring.functions}
    assert {node for node, group in picture.groups.items() if group == "topics"} == set(wiring.topics)


def test_every_trigger_is_an_arrow_and_no_other_arrow_wakes_a_function(picture: Flowchart) -> None:
    wiring = read_table()
    for function in wiring.functions:
        woken = set(function.topics)
        woken |= {"scheduler"} if function.schedules else set()
        woken |= {"operators"} if function.http else set()
        assert picture.into(function.name) & (TRIGGERS | set(wiring.topics)) == woken, function.name


def test_what_anyone_may_call_is_not_drawn_among_the_internal_ones(picture: Flowchart) -> None:
    called = {function.name for function in read_table().functions if function.http}
    assert {node for node, group in picture.groups.items() if group == "called"} == called


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("graph TD\n  a[a]", "not a flowchart"),
        ("flowchart LR\n  a[a]\n  a --> b", "not declared: b"),
        ("flowchart LR\n  a[a]\n  a[(a)]", "declared twice"),
        ("flowchart LR\n  a[a", "not understood"),
        ("flowchart LR\n  subgraph s [S]\n  a[a]", "no end"),
        ("flowchart LR\n  end", "without a group"),
    ],
)
def test_a_picture_that_would_not_be_drawn_is_an_error(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        parse(text)
