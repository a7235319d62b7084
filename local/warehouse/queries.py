"""Query jobs: one statement or a script, in transactions, with what BigQuery reports of them."""

from __future__ import annotations

from typing import Any

from local.warehouse import infoschema
from local.warehouse.catalog import TableRef
from local.warehouse.engine import Cursor, Engine
from local.warehouse.errors import invalid_query, unsupported
from local.warehouse.jobs import Job, JobStore
from local.warehouse.lookup import Lookup
from local.warehouse.parameters import Parameters, read_parameters
from local.warehouse.reports import describe, schema_body
from local.warehouse.script import Script, is_script, only_reads
from local.warehouse.sql import InvalidSql, ParsedNode, UnsupportedSql
from local.warehouse.statements import Executor, bytes_processed, check_limit, check_partition_filters, output_schema
from local.warehouse.translations import Translations
from local.warehouse.types import Field
from local.warehouse.writes import Target, read_target

REFUSED = {
    "tableDefinitions": "load the files with a load job",
    "userDefinedFunctionResources": "write the expression in the query",
    "continuous": "use an ordinary query job",
    "connectionProperties": "use a script with BEGIN TRANSACTION",
    "createSession": "use a script",
}


class QueryRunner:
    """Runs query jobs, each on the thread that calls it."""

    def __init__(self, engine: Engine, store: JobStore, executor: Executor) -> None:
        self._engine = engine
        self._store = store
        self._executor = executor
        self._translations = Translations()

    def leaves_nothing(self, job: Job) -> bool:
        """Whether a job is one query that writes to no table and asks nothing of other jobs."""
        config = job.config("query")
        text = str(config.get("query") or "")
        if infoschema.mentioned(text) or (config.get("destinationTable") and not job.body.get("anonymous")):
            return False
        try:
            nodes = self._translations.parse(text)
        except (InvalidSql, UnsupportedSql):
            return False
        return not is_script(nodes) and only_reads(nodes[0])

    def run(self, job: Job) -> None:
        """Run a query job to its end; raises what made it fail."""
        config = checked_config(job)
        nodes = self._translations.parse(str(config["query"]))
        parameters = read_parameters(config)
        dry = bool(job.body["configuration"].get("dryRun"))
        with self._engine.reading() as cursor:
            job.cursor = cursor
            script = Script(self._engine, self._store, self._executor, self._translations, job, cursor, parameters)
            if dry:
                self._dry_run(job, cursor, nodes, parameters)
            elif is_script(nodes):
                script.run(nodes)
            else:
                script.run_single(nodes[0], destination(job, config))

    def _dry_run(self, job: Job, cursor: Cursor, nodes: list[ParsedNode], parameters: Parameters) -> None:
        """Say what a query would read and give, running nothing."""
        if is_script(nodes):
            raise unsupported("A dry run of a script", "dry-run its statements one by one")
        lookup = Lookup(cursor, job.project)
        statement = self._translations.translate(job, nodes[0], lookup, parameters.types, {})
        check_partition_filters(statement, lookup)
        size = bytes_processed(cursor, statement, lookup, self._executor.statistics, parameters.values)
        check_limit(size, job.config("query").get("maximumBytesBilled"))
        describe(job, statement, size)
        job.statistics(
            query={"totalBytesProcessedAccuracy": "PRECISE", "schema": schema_body(output_schema(statement))}
        )

    def make_view(self, cursor: Cursor, ref: TableRef, query: str) -> tuple[Field, ...]:
        """The columns of a view; its query must be one that can run."""
        nodes = self._translations.parse(query)
        if is_script(nodes):
            raise invalid_query("A view is one query, not a script")
        job = Job(ref.project, "", {"configuration": {"query": {}}})
        statement = self._translations.translate(job, nodes[0], Lookup(cursor, ref.project), {}, {})
        if statement.kind != "SELECT":
            raise invalid_query("A view's query must be a SELECT")
        return output_schema(statement)


def checked_config(job: Job) -> dict[str, Any]:
    """The query's configuration, if nothing in it asks for what is not here."""
    config = job.config("query")
    if config.get("useLegacySql", True):
        raise unsupported("Legacy SQL", "set useLegacySql to false")
    for key, instead in REFUSED.items():
        if config.get(key):
            raise unsupported(key, instead)
    if not str(config.get("query") or "").strip():
        raise invalid_query("Required parameter is missing: query")
    return config


def destination(job: Job, config: dict[str, Any]) -> Target | None:
    """The table that a query's rows go to, if the client named one."""
    reference = config.get("destinationTable")
    if not reference or job.body.get("anonymous"):
        return None
    return read_target({"projectId": job.project, **reference}, config, "WRITE_EMPTY")
