"""A strict reader of Mermaid flowcharts, as far as the pictures of docs/ use them; anything else is an error."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

ID = r"[a-z][a-z_]*"
NODE = re.compile(
    rf"({ID})(?:\[\(([^()\[\]{{}}]+)\)\]|\(\[([^()\[\]{{}}]+)\]\)|\{{\{{([^()\[\]{{}}]+)\}}\}}|\[([^()\[\]{{}}]+)\])"
)
GROUP = re.compile(rf"subgraph ({ID}) \[([^\[\]]+)\]")
EDGE = re.compile(rf"({ID}(?: & {ID})*) (-->|-\.->)(?:\|([^|]+)\|)? ({ID}(?: & {ID})*)")


@dataclass
class Flowchart:
    """Nodes by id with their text, the group of each node, and the edges."""

    nodes: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    edges: set[tuple[str, str]] = field(default_factory=set)

    def into(self, node: str) -> set[str]:
        """Where the arrows to a node start."""
        return {start for start, end in self.edges if end == node}

    def out_of(self, node: str) -> set[str]:
        """Where the arrows from a node end."""
        return {end for start, end in self.edges if start == node}


def parse(text: str) -> Flowchart:
    """Read a flowchart. Raises ValueError with the line for what is not one, or an arrow to a stranger."""
    chart, group = Flowchart(), ""
    first, *lines = [line.strip() for line in text.strip().splitlines()]
    if first != "flowchart LR":
        raise ValueError(f"not a flowchart: {first}")
    for line in filter(None, lines):
        if found := GROUP.fullmatch(line):
            if group:
                raise ValueError(f"a group inside a group: {line}")
            group = found[1]
        elif line == "end":
            if not group:
                raise ValueError("an end without a group")
            group = ""
        elif found := NODE.fullmatch(line):
            if found[1] in chart.nodes:
                raise ValueError(f"declared twice: {line}")
            chart.nodes[found[1]] = next(filter(None, found.groups()[1:]))
            chart.groups[found[1]] = group
        elif found := EDGE.fullmatch(line):
            pairs = {(start, end) for start in found[1].split(" & ") for end in found[4].split(" & ")}
            if strangers := {one for pair in pairs for one in pair} - chart.nodes.keys():
                raise ValueError(f"not declared: {', '.join(sorted(strangers))}: {line}")
            chart.edges |= pairs
        else:
            raise ValueError(f"not understood: {line}")
    if group:
        raise ValueError(f"group {group} has no end")
    return chart
