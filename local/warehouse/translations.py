"""Parsed and translated statements, remembered: both cost more than a small query's run.

A translation depends on the text, the types of parameters and variables, and what the tables it names look like; rows
and parameter values change nothing in it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from local.warehouse.jobs import Job
from local.warehouse.lookup import Lookup
from local.warehouse.sql import ParsedNode, SqlType, Statement, TableInfo, parse_script, translate
from local.warehouse.sql import TableRef as SqlRef

REMEMBERED = 500
LONGEST = 50_000
"""Characters of a text worth remembering; longer ones carry data and do not come twice."""

Key = tuple[object, ...]


class Translations:
    """Texts into statements."""

    def __init__(self) -> None:
        self._known: OrderedDict[Key, Any] = OrderedDict()
        self._lock = threading.Lock()

    def parse(self, text: str) -> list[ParsedNode]:
        """The statements of a text, in order."""
        nodes: list[ParsedNode] | None = self._recall((text,))
        if nodes is None:
            nodes = parse_script(text)
            self._remember(text, (text,), nodes)
        return nodes

    def translate(
        self,
        job: Job,
        node: ParsedNode,
        lookup: Lookup,
        parameters: Mapping[str, SqlType],
        variables: Mapping[str, SqlType],
    ) -> Statement:
        """A statement in DuckDB's SQL, names resolved as the job's configuration says."""
        default = job.config("query").get("defaultDataset") or {}
        project, dataset = str(default.get("projectId") or job.project), str(default.get("datasetId") or "")
        kinds = (tuple(sorted(parameters.items(), key=str)), tuple(sorted(variables.items(), key=str)))
        key = (node.form, node.text, job.project, project, dataset, kinds)
        found: tuple[Statement, dict[SqlRef, TableInfo | None]] | None = self._recall(key)
        if found is not None and all(lookup.table(ref) == info for ref, info in found[1].items()):
            return found[0]
        statement = translate(
            node,
            schema=lookup,
            default_project=project,
            default_dataset=dataset,
            parameters=parameters,
            variables=variables,
        )
        if node.form == "SQL":
            self._remember(node.text, key, (statement, lookup.described()))
        return statement

    def _recall(self, key: Key) -> Any:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def _remember(self, text: str, key: Key, value: object) -> None:
        if len(text) > LONGEST:
            return
        with self._lock:
            self._known[key] = value
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
