"""Statements in order: transactions, variables, branches, and a child job for each statement of a script."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, cast

from sqlglot import exp

from local.warehouse import infoschema
from local.warehouse.engine import Cursor, Engine
from local.warehouse.errors import ApiError, invalid_query, unsupported
from local.warehouse.faults import api_error
from local.warehouse.jobs import Job, JobStore, new_job
from local.warehouse.lookup import Lookup
from local.warehouse.parameters import Parameters
from local.warehouse.reports import describe, report
from local.warehouse.sql import (
    SESSION_SETUP,
    AssertDetails,
    IfDetails,
    ParsedNode,
    SqlType,
    Statement,
    VariableDetails,
)
from local.warehouse.statements import (
    Executor,
    Outcome,
    billed,
    bytes_processed,
    check_limit,
    check_partition_filters,
    placeholders,
)
from local.warehouse.translations import Translations
from local.warehouse.writes import Target

SILENT = frozenset({"DECLARE", "SET", "IF"})


def is_script(nodes: Sequence[ParsedNode]) -> bool:
    """Whether a text is more than one plain statement."""
    return len(nodes) != 1 or nodes[0].form != "SQL"


def only_reads(node: ParsedNode) -> bool:
    """Whether a statement can run without the write lock."""
    return node.form != "SQL" or isinstance(node.tree, exp.Query)


class Script:
    """The run of one query job on one cursor."""

    def __init__(
        self,
        engine: Engine,
        store: JobStore,
        executor: Executor,
        translations: Translations,
        job: Job,
        cursor: Cursor,
        parameters: Parameters,
    ) -> None:
        self._engine = engine
        self._store = store
        self._executor = executor
        self._translations = translations
        self._job = job
        self._cursor = cursor
        self._parameters = parameters
        self._variables: dict[str, SqlType] = {}
        self._values: dict[str, Any] = dict(parameters.values)
        self._open = ExitStack()
        self._in_transaction = False
        self._reads_system_views = infoschema.mentioned(str(job.config("query").get("query")))
        self._bytes = 0
        for setting in SESSION_SETUP:
            cursor.execute(setting)

    def run_single(self, node: ParsedNode, target: Target | None) -> None:
        """Run a job of one statement; its DONE goes into the statement's own transaction."""
        reads = only_reads(node) and target is None
        with self._transaction(reads=reads):
            self._statement(self._job, node, target)
            self._job.end()
            if not reads:
                self._store.save(self._cursor, self._job)
        if reads:
            self._store.settle(self._job)

    def run(self, nodes: Sequence[ParsedNode]) -> None:
        """Run a script; a transaction left open, or open when something fails, is rolled back."""
        self._job.statistics(query={"statementType": "SCRIPT"}, numChildJobs="0")
        try:
            self._block(nodes)
            if self._in_transaction:
                raise invalid_query("Transaction is not committed at the end of the script; it was rolled back")
        finally:
            self._end_transaction("ROLLBACK")
        self._job.end()
        self._store.settle(self._job)

    def _block(self, nodes: Sequence[ParsedNode]) -> None:
        for node in nodes:
            self._step(node)

    def _step(self, node: ParsedNode) -> None:
        if node.form == "BEGIN":
            self._begin()
        elif node.form in ("COMMIT", "ROLLBACK"):
            self._finish(node.form)
        elif node.form in ("DECLARE", "SET", "IF", "ASSERT"):
            self._control(node)
        else:
            self._child(node)

    def _begin(self) -> None:
        if self._in_transaction:
            raise invalid_query("Cannot begin a transaction: one is already in progress")
        self._open.enter_context(self._engine.write_lock())
        self._cursor.execute("BEGIN TRANSACTION")
        self._in_transaction = True

    def _finish(self, form: str) -> None:
        if not self._in_transaction:
            raise invalid_query(f"There is no active transaction to {form.lower()}")
        self._end_transaction(form)

    def _end_transaction(self, form: str) -> None:
        """COMMIT or ROLLBACK what is open, and let other writers in."""
        if not self._in_transaction:
            return
        self._in_transaction = False
        with self._open.pop_all():
            self._cursor.execute(form)

    @contextmanager
    def _transaction(self, *, reads: bool) -> Iterator[None]:
        """The script's open transaction, or one for this statement alone."""
        if self._in_transaction:
            yield
            return
        if self._reads_system_views:
            self._store.flush()
            infoschema.refresh(self._engine, self._executor.statistics)
        with self._engine.slot() if reads else self._engine.write_lock():
            self._cursor.execute("BEGIN TRANSACTION")
            try:
                yield
            except BaseException:
                self._cursor.execute("ROLLBACK")
                raise
            self._cursor.execute("COMMIT")

    def _translated(self, node: ParsedNode, lookup: Lookup) -> Statement:
        return self._translations.translate(self._job, node, lookup, self._parameters.types, self._variables)

    def _control(self, node: ParsedNode) -> None:
        """DECLARE, SET, ASSERT and IF: one value decides."""
        lookup = Lookup(self._cursor, self._job.project)
        with self._transaction(reads=True):
            statement = self._translated(node, lookup)
            check_partition_filters(statement, lookup)
            row = self._cursor.execute(statement.duckdb_sql, placeholders(statement, self._values)).fetchone()
        value = row[0] if row is not None else None
        details = statement.details
        if isinstance(details, VariableDetails):
            for name in details.names:
                self._variables[name] = details.type
                self._values[name] = value
        elif isinstance(details, AssertDetails) and value is not True:
            raise invalid_query(details.description)
        elif isinstance(details, IfDetails):
            self._block(cast(Sequence[ParsedNode], details.then if value is True else details.otherwise))

    def _child(self, node: ParsedNode) -> None:
        """Run one statement as a child job."""
        config = {key: value for key, value in self._job.config("query").items() if key != "maximumBytesBilled"}
        child = new_job(self._job.project, {}, {"query": {**config, "query": node.text}}, self._job.job_id)
        child.begin()
        self._store.add(child)
        number = int(self._job.body["statistics"]["numChildJobs"]) + 1
        self._job.statistics(numChildJobs=str(number))
        try:
            with self._transaction(reads=only_reads(node)):
                outcome = self._statement(child, node, None)
        except Exception as error:
            child.end(api_error(error))
            self._store.settle(child)
            child.finished.set_result(None)
            raise
        child.end()
        self._store.settle(child)
        child.finished.set_result(None)
        if outcome.result is not None:
            self._executor.share(self._job.key, outcome.result)

    def _statement(self, job: Job, node: ParsedNode, target: Target | None) -> Outcome:
        """Translate, check, run and report one statement, inside a transaction."""
        if self._job.cancelled:
            raise ApiError(499, "stopped", "Job execution was cancelled: User requested cancellation")
        if self._in_transaction and infoschema.mentioned(node.text):
            raise unsupported("INFORMATION_SCHEMA inside a transaction", "query it before or after")
        lookup = Lookup(self._cursor, self._job.project)
        statement = self._translated(node, lookup)
        check_partition_filters(statement, lookup)
        size = bytes_processed(self._cursor, statement, lookup, self._executor.statistics, self._values)
        self._bytes += size
        check_limit(self._bytes, self._job.config("query").get("maximumBytesBilled"))
        describe(job, statement, size)
        if statement.kind == "SELECT" and target is None:
            outcome = Outcome(result=self._executor.select(self._cursor, statement, self._values, job.key))
        elif statement.kind == "SELECT" and target is not None:
            table, rows = self._executor.select_into(self._cursor, statement, self._values, target)
            outcome = Outcome(target=table, rows=rows)
        else:
            outcome = self._executor.change(self._cursor, statement, self._values, lookup)
        report(job, statement, outcome)
        total = {"totalBytesProcessed": str(self._bytes)}
        self._job.statistics(**total, query={**total, "totalBytesBilled": str(billed(self._bytes))})
        return outcome
