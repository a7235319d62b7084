"""From a text to parsed statements: BigQuery's grammar by sqlglot, scripting by hand.

sqlglot's parser knows functions of every dialect and folds them into common classes (NVL becomes COALESCE, and an
unknown variant loses its meaning). Its function table is therefore emptied here: every call keeps the name that was
written, and the translation decides by that name alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

import sqlglot
from sqlglot import exp
from sqlglot.dialects.bigquery import BigQuery
from sqlglot.errors import SqlglotError
from sqlglot.parsers.bigquery import BigQueryParser
from sqlglot.tokenizer_core import Token, TokenType

from local.warehouse.sql.errors import InvalidSql, UnsupportedSql

Form = Literal["SQL", "DECLARE", "SET", "ASSERT", "IF", "BEGIN", "COMMIT", "ROLLBACK"]
_TRANSACTION: Final[dict[str, Form]] = {"BEGIN": "BEGIN", "COMMIT": "COMMIT", "ROLLBACK": "ROLLBACK"}
_KEPT: Final = ("CAST", "SAFE_CAST", "EXTRACT")
logging.getLogger("sqlglot").setLevel(logging.ERROR)


class _Parser(BigQueryParser):
    """BigQuery's grammar with no function known by name."""

    FUNCTIONS: ClassVar[dict[str, Callable[..., Any]]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Callable[..., Any]]] = {
        name: parser for name, parser in BigQueryParser.FUNCTION_PARSERS.items() if name in _KEPT
    }


class _Tokenizer(BigQuery.Tokenizer):
    """BigQuery's words; none of them (ELSEIF, CALL …) swallows the rest of its statement as one text."""

    COMMANDS: ClassVar[set[TokenType]] = set()


class _Dialect(BigQuery):
    Tokenizer = _Tokenizer
    Parser = _Parser


@dataclass(frozen=True)
class ParsedNode:
    """One statement of a script. `tree` is its syntax tree, or that of the one expression a script form has.

    DECLARE and SET carry the variables' names; DECLARE its type, IF its branches.
    """

    form: Form
    text: str
    tree: exp.Expression | None = None
    names: tuple[str, ...] = ()
    type: exp.DataType | None = None
    description: str = ""
    then: tuple[ParsedNode, ...] = ()
    otherwise: tuple[ParsedNode, ...] = ()


def parse_script(sql: str) -> list[ParsedNode]:
    """The statements of a text, in order. A single query is a script of one."""
    try:
        tokens = _Dialect().tokenize(sql)
    except SqlglotError as error:
        raise InvalidSql(f"Syntax error: {_first_line(error)}") from error
    nodes, position = _Script(sql, tokens).statements(0, ())
    if position < len(tokens):
        raise InvalidSql(f"Syntax error: Unexpected {tokens[position].text} {_at(tokens[position])}")
    if not nodes:
        raise InvalidSql("Syntax error: Unexpected end of statement")
    return nodes


def parse_query(sql: str) -> exp.Expression:
    """One statement, such as a view's query."""
    nodes = parse_script(sql)
    if len(nodes) != 1 or nodes[0].tree is None or nodes[0].form != "SQL":
        raise InvalidSql("Syntax error: Expected one query")
    return nodes[0].tree


class _Script:
    """Splits a token list into statements; nesting is only that of IF."""

    def __init__(self, sql: str, tokens: Sequence[Token]) -> None:
        self.sql = sql
        self.tokens = tokens

    def word(self, position: int) -> str:
        """The token there as an upper-case keyword; quoted names and strings are none."""
        if position >= len(self.tokens):
            return ""
        token = self.tokens[position]
        return "" if token.token_type in (TokenType.STRING, TokenType.IDENTIFIER) else token.text.upper()

    def statements(self, position: int, ends: tuple[str, ...]) -> tuple[list[ParsedNode], int]:
        """Statements from a position until one of the closing keywords or the end of the text."""
        nodes: list[ParsedNode] = []
        while position < len(self.tokens) and self.word(position) not in ends:
            if self.word(position) == ";":
                position += 1
            elif self.word(position) == "IF":
                node, position = self.branch(position)
                nodes.append(node)
            else:
                stop = self.until(position, (";",))
                nodes.append(self.statement(position, stop))
                position = stop
        return nodes, position

    def until(self, position: int, words: tuple[str, ...]) -> int:
        """The first position from there that holds one of the words outside brackets and CASE."""
        depth = 0
        while position < len(self.tokens):
            word = self.word(position)
            if depth == 0 and word in words:
                return position
            depth += (word in ("(", "[", "CASE")) - (word in (")", "]") or (word == "END" and depth > 0))
            position += 1
        return position

    def source(self, start: int, stop: int) -> str:
        """The text between two positions."""
        return self.sql[self.tokens[start].start : self.tokens[stop - 1].end + 1] if stop > start else ""

    def branch(self, position: int) -> tuple[ParsedNode, int]:
        """IF condition THEN … [ELSEIF …] [ELSE …] END IF."""
        start = position
        then_at = self.until(position + 1, ("THEN", ";"))
        if self.word(then_at) != "THEN":
            raise InvalidSql(f"Syntax error: Expected keyword THEN {_at(self.tokens[start])}")
        condition = _expression(self.source(position + 1, then_at))
        then, position = self.statements(then_at + 1, ("ELSE", "ELSEIF", "END"))
        otherwise: list[ParsedNode] = []
        if self.word(position) == "ELSEIF":
            node, position = self.branch(position)
            text = self.source(start, position)
            return ParsedNode("IF", text, condition, then=tuple(then), otherwise=(node,)), position
        if self.word(position) == "ELSE":
            otherwise, position = self.statements(position + 1, ("END",))
        if (self.word(position), self.word(position + 1)) != ("END", "IF"):
            raise InvalidSql(f"Syntax error: Expected END IF {_at(self.tokens[start])}")
        text = self.source(start, position + 2)
        return ParsedNode("IF", text, condition, then=tuple(then), otherwise=tuple(otherwise)), position + 2

    def statement(self, start: int, stop: int) -> ParsedNode:
        """One statement between two positions, by its first words."""
        text, first = self.source(start, stop), self.word(start)
        if first == "DECLARE":
            return self.declare(start, stop, text)
        if first == "SET":
            return self.assign(start, stop, text)
        if first == "ASSERT":
            return self.assertion(start, stop, text)
        words = text.upper().split()
        if words[0] in _TRANSACTION:
            if words[1:] not in ([], ["TRANSACTION"]):
                raise UnsupportedSql("a BEGIN … END block or exception handler")
            return ParsedNode(_TRANSACTION[words[0]], text)
        if first in ("LOOP", "WHILE", "REPEAT", "FOR", "CALL", "EXECUTE", "RAISE", "EXPORT", "LOAD", "RETURN", "CASE"):
            raise UnsupportedSql(f"statement {first}")
        return ParsedNode("SQL", text, parse_tree(text))

    def declare(self, start: int, stop: int, text: str) -> ParsedNode:
        """DECLARE name [, …] [type] [DEFAULT expression]."""
        names, position = [self.tokens[start + 1].text], start + 2
        while self.word(position) == "," and position + 1 < stop:
            names.append(self.tokens[position + 1].text)
            position += 2
        default_at = min(self.until(position, ("DEFAULT", ";")), stop)
        kind: exp.DataType | None = None
        if default_at > position:
            cast = _expression(f"CAST(NULL AS {self.source(position, default_at)})")
            kind = cast.args["to"]
        tree = _expression(self.source(default_at + 1, stop)) if default_at < stop else None
        if tree is None and kind is None:
            raise InvalidSql(f"Syntax error: Expected a type or DEFAULT {_at(self.tokens[start])}")
        return ParsedNode("DECLARE", text, tree, tuple(names), kind)

    def assign(self, start: int, stop: int, text: str) -> ParsedNode:
        """SET name = expression."""
        if self.word(start + 1) in ("(", "@@", "@"):
            raise UnsupportedSql("SET of several variables or of a system variable")
        if self.word(start + 2) != "=" or stop <= start + 3:
            raise InvalidSql(f"Syntax error: Expected SET name = expression {_at(self.tokens[start])}")
        return ParsedNode("SET", text, _expression(self.source(start + 3, stop)), (self.tokens[start + 1].text,))

    def assertion(self, start: int, stop: int, text: str) -> ParsedNode:
        """ASSERT expression [AS 'description']."""
        end, description = stop, "Assertion failed"
        string_last = self.tokens[stop - 1].token_type == TokenType.STRING
        if stop - start > 3 and string_last and self.word(stop - 2) == "AS":
            end, description = stop - 2, self.tokens[stop - 1].text
        return ParsedNode("ASSERT", text, _expression(self.source(start + 1, end)), description=description)


def parse_tree(text: str) -> exp.Expression:
    """One statement's syntax tree."""
    try:
        trees = sqlglot.parse(text, dialect=_Dialect)
    except SqlglotError as error:
        raise InvalidSql(f"Syntax error: {_first_line(error)}") from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Expression):
        raise InvalidSql("Syntax error: Expected one statement")
    return trees[0]


def _expression(text: str) -> exp.Expression:
    tree = parse_tree(f"SELECT {text}")
    if not isinstance(tree, exp.Select) or len(tree.expressions) != 1 or len(_present(tree)) != 1:
        raise InvalidSql(f"Syntax error: Expected one expression, got: {text[:100]}")
    return tree.expressions[0]  # type: ignore[no-any-return]


def _present(tree: exp.Expression) -> list[str]:
    return [name for name, value in tree.args.items() if value]


def _first_line(error: SqlglotError) -> str:
    """The message without the quoted text and its terminal colours."""
    return str(error).splitlines()[0]


def _at(token: Token) -> str:
    return f"at [{token.line}:{token.col}]"


def after_as(text: str) -> str:
    """The query of CREATE VIEW … AS query, as it was written."""
    tokens = _Dialect().tokenize(text)
    script = _Script(text, tokens)
    at = script.until(0, ("AS",))
    if at >= len(tokens) - 1:
        raise InvalidSql("Syntax error: Expected AS and a query")
    return script.source(at + 1, len(tokens)).rstrip("; \n\t")
