"""Envelopes: an object around the records, such as `{"page": 3, "items": [ … ], "next": null}`.

What tells an envelope from a record: the natural key does not stand among its members, and an array follows whose
first object begins with flat members of which one is the natural key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

DECODER = json.JSONDecoder(parse_int=str)  # a number with thousands of digits is no int, but a record like any other
NEAR_END = 16  # an error this close to the end of what was read may only mean that more is to come
FLAT = 1024  # so many characters behind an opening brace the natural key may stand

_SPACE = re.compile(r"[\s\ufeff]*")
_NAME = re.compile(r'"((?:[^"\\]|\\.)*)"\s{0,255}:\s{0,255}')
_PART_OF_NAME = re.compile(r'"(?:[^"\\]|\\.)*(?:\\|"\s{0,255})?')
_ARRAY = re.compile(r"\[\s{0,255}(?=\{)")


class Natural:
    """The natural key of a source by all its names; without one nothing is an envelope."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self.keys = frozenset(keys)
        name = f'"(?:{"|".join(map(re.escape, sorted(self.keys)))})"\\s{{0,255}}:' if self.keys else r"(?!)"
        self.plain = re.compile(rf"[\s,\ufeff]*(?=\{{[^{{}}\[]{{0,{FLAT}}}?{name})")
        """What may stand in front of an object of which a look is enough to tell that it is a record."""
        self._holds = re.compile(rf"\{{[^{{}}]{{0,{FLAT}}}?{name}")
        self.record = rf"\{{[^{{}}]{{0,{FLAT}}}?{name}"
        """A pattern for the begin of an object that holds the key among its first flat members."""

    def opens(self, text: str, at: int, last: bool) -> int | None:
        """Where the records begin in the envelope at `at`: 0 where it is none, None where only more text can tell."""
        if not self.keys or self.plain.match(text, at):
            return 0
        at = _skip(text, at + 1)
        while found := _NAME.match(text, at):
            if found[1] in self.keys:
                return 0
            array = self.holds(text, found.end(), last)
            if array is not False:
                return found.end() if array else None
            end = value_end(text, found.end(), last)
            if not end:
                return end
            at = _skip(text, end)
            if text[at : at + 1] != ",":
                return None if at == len(text) and not last else 0
            at = _skip(text, at + 1)
        return None if _may_be_name(text, at) and not last else 0

    def holds(self, text: str, at: int, last: bool) -> bool | None:
        """Whether an array of records begins at `at`; None where only more text can tell."""
        if text[at : at + 1] != "[":
            return None if at == len(text) and not last else False
        found = _ARRAY.match(text, at)
        if not found:
            return None if not text[at + 1 : at + 257].strip() and len(text) < at + 257 and not last else False
        brace = found.end()
        if self._holds.match(text, brace):
            return True
        undecided = len(text) < brace + FLAT + 512 and not re.search(r"[{}]", text[brace + 1 :])
        return None if undecided and not last else False

    def member(self, text: str, at: int, last: bool) -> tuple[int, bool] | None:
        """The end of the envelope's member at `at`, and whether it is an array of records, whose bracket ends it then.

        None where only more text can tell; the end is 0 where it is no member.
        """
        found = _NAME.match(text, at)
        if not found:
            return None if _may_be_name(text, at) and not last else (0, False)
        array = self.holds(text, found.end(), last)
        if array is not False:
            return None if array is None else (found.end() + 1, True)
        end = value_end(text, found.end(), last)
        return None if end is None else (end, False)


def value_end(text: str, at: int, last: bool) -> int | None:
    """Where the value at `at` ends: 0 where it is broken, None where only more text can tell."""
    try:
        end = DECODER.raw_decode(text, at)[1]
    except json.JSONDecodeError as exc:
        return None if unfinished(exc, last) and not last else 0
    except RecursionError:
        return 0
    return None if end > len(text) - NEAR_END and text[end - 1] not in '}]"' and not last else end


def unfinished(error: json.JSONDecodeError, last: bool) -> bool:
    """Whether a value is not wrong but not whole: it ends inside a string, or where nothing but a word may stand."""
    rest = error.doc[error.pos :]
    if error.msg.startswith("Unterminated string"):
        return True
    return len(rest) <= NEAR_END and not (last and re.search(r"[\[\]{}]", rest))


def _may_be_name(text: str, at: int) -> bool:
    """Whether the text ends within what may become the name of a member."""
    return at == len(text) or _PART_OF_NAME.fullmatch(text, at) is not None


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
