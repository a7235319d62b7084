"""The subscription filter language, over attributes only, as the service has it.

    attributes:key   attributes.key = "value"   hasPrefix(attributes.key, "value")   NOT x, -x   x AND y   x OR y   (x)

AND and OR do not mix without parentheses. `!=` is refused: what it means for a message without the key is easy to get
wrong, and NOT says it plainly.
"""

import re
from collections.abc import Callable, Mapping

from local.pubsub.refusals import Refused, invalid

Attributes = Mapping[str, str]
Filter = Callable[[Attributes], bool]

FILTER_LIMIT_BYTES = 256
TOKEN = re.compile(
    r'\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*)|(?P<sign>!=|[-:.=(),]))'
)


def everything(_attributes: Attributes) -> bool:
    return True


def parse_filter(text: str) -> Filter:
    """Compile a filter; an empty one lets everything through, one that cannot be understood is refused."""
    if not text.strip():
        return everything
    if len(text.encode()) > FILTER_LIMIT_BYTES:
        raise invalid(f"The filter is longer than {FILTER_LIMIT_BYTES} bytes.")
    parser = _Parser(text)
    compiled = parser.expression()
    parser.expect_end()
    return compiled


class _Parser:
    """Recursive descent, one token ahead; every complaint names the filter and the place."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._tokenise(text)
        self._at = 0

    def _tokenise(self, text: str) -> list[str]:
        tokens, position, end = [], 0, len(text.rstrip())
        while position < end:
            match = TOKEN.match(text, position)
            if match is None:
                raise self._refusal(f"character {position + 1} is not understood")
            tokens.append(match.group().strip())
            position = match.end()
        return tokens

    def _refusal(self, why: str) -> Refused:
        return invalid(f"The subscription filter is not valid: {why}. Filter: {self._text}")

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _expect(self, token: str) -> None:
        found = self._next()
        if found != token:
            raise self._refusal(f"expected {token!r}, found {found or 'the end'!r}")

    def expect_end(self) -> None:
        if self._peek():
            raise self._refusal(f"{self._peek()!r} is not expected here")

    def expression(self) -> Filter:
        terms, joiner = [self._term()], self._peek()
        while self._peek() in ("AND", "OR"):
            if self._next() != joiner:
                raise self._refusal("AND and OR need parentheses when they are mixed")
            terms.append(self._term())
        if len(terms) == 1:
            return terms[0]
        decide = all if joiner == "AND" else any
        return lambda attributes: decide(term(attributes) for term in terms)

    def _term(self) -> Filter:
        if self._peek() in ("NOT", "-"):
            self._next()
            inner = self._term()
            return lambda attributes: not inner(attributes)
        if self._peek() == "(":
            self._next()
            inner = self.expression()
            self._expect(")")
            return inner
        return self._has_prefix() if self._peek() == "hasPrefix" else self._comparison()

    def _has_prefix(self) -> Filter:
        self._expect("hasPrefix")
        self._expect("(")
        self._expect("attributes")
        self._expect(".")
        key = self._key()
        self._expect(",")
        prefix = self._string()
        self._expect(")")
        return lambda attributes: attributes.get(key, "").startswith(prefix) and key in attributes

    def _comparison(self) -> Filter:
        self._expect("attributes")
        sign = self._next()
        if sign == ":":
            present = self._key()
            return lambda attributes: present in attributes
        if sign != ".":
            raise self._refusal("'attributes' is followed by ':key' or '.key'")
        key, operator = self._key(), self._next()
        if operator == "!=":
            raise self._refusal("'!=' is not supported here; write NOT attributes.key = \"value\"")
        if operator != "=":
            raise self._refusal(f"expected '=', found {operator or 'the end'!r}")
        value = self._string()
        return lambda attributes: attributes.get(key) == value and key in attributes

    def _key(self) -> str:
        token = self._peek()
        if token.startswith('"'):
            return self._string()
        if not re.fullmatch(r"[A-Za-z0-9_-]+", token):
            raise self._refusal(f"{token or 'the end'!r} is not an attribute key")
        return self._next()

    def _string(self) -> str:
        token = self._next()
        if not token.startswith('"'):
            raise self._refusal(f"expected a value in double quotes, found {token or 'the end'!r}")
        body = token[1:-1]
        if re.search(r'\\[^"\\]', body):
            raise self._refusal('only \\" and \\\\ are supported as escapes here')
        return re.sub(r"\\(.)", r"\1", body)
