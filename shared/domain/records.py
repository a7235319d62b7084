"""JSON that is not one record a line: an array, one object over several lines, objects one after the other, envelopes.

Each record becomes one line. A record that is broken costs only itself: the text up to where the next record begins
becomes a line as it stands, which validation then quarantines with the reason and the raw text.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator

from shared.domain.cutting import BrokenOff, Limits, Piece, Position, Record, pack, whole
from shared.domain.envelopes import DECODER, FLAT, NEAR_END, Natural, unfinished, value_end

_GAP = re.compile(r"[\s,\ufeff]*")
_OF_OBJECTS = re.compile(r"\[[\s\[\ufeff]{0,255}([{\]]?)")  # an array in the array that is not a value of its own
_STANDS_ALONE = re.compile(r"(?=[,\[\]{}\ufeff]|\Z)|\s{1,254}(?![\s:])|\s{255}")
_CLOSES = {"[": "]", "{": "}"}
_DEPTH = 16  # brackets around records that are remembered
_REACH = 2 * FLAT  # so many characters behind its end the begin of the next record may still show

_EARLY_LINES = 20
_ANY = Natural()


def pieces_of_records(
    blocks: Iterable[bytes],
    limits: Limits,
    start: Position | None = None,
    broken_off: BrokenOff = whole,
    natural: Natural = _ANY,
) -> Iterator[Piece]:
    """Cut JSON into records; `Position.line` counts them. A record or an array that never ends is `truncated`.

    With a `natural` key envelopes are opened; their other members are stretches `envelope_member`.
    """
    at = start or Position()
    return pack(_records(blocks, _Scanner(limits.line_bytes, at.within, natural), broken_off), limits, at)


def is_lines(head: bytes, natural: Natural = _ANY) -> bool:
    """Whether a `.json` file holds one record a line: some early line is a whole object.

    Not so where an array is opened, the first object is an envelope or goes over several lines, whatever stands on a
    line inside it.
    """
    text = head.decode("utf-8", "replace").lstrip("\ufeff").lstrip()
    if text.startswith("[") or "\n" in text[: _end_of_value(text)] or natural.opens(text, 0, last=True):
        return False
    lines = (line.strip() for line in text.split("\n", _EARLY_LINES)[:_EARLY_LINES])
    return any(line.startswith("{") and _end_of_value(line) == len(line) for line in lines)


def _end_of_value(text: str) -> int:
    """Where the JSON value ends that the text begins with; 0 where there is none."""
    return value_end(text, 0, last=True) or 0


def _records(blocks: Iterable[bytes], scanner: _Scanner, broken_off: BrokenOff) -> Iterator[Record]:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    for block in blocks:
        yield from scanner.feed(decoder.decode(block))
    yield from scanner.feed(decoder.decode(b"", final=True), last=True)
    yield from scanner.finish(broken_off())


class _Scanner:
    """Finds the records of a text that arrives in parts; `_done` is how far of it is handed out or passed over.

    Each decision rests on what follows the last record, never on how the text came in parts: a record that is neither
    whole within `line_bytes` nor cut off ends where the next one begins. `_within` holds the open brackets around.
    """

    def __init__(self, line_bytes: int, within: str, natural: Natural) -> None:
        self._line_bytes = line_bytes
        self._within = within
        self._natural = natural
        gap_to_record = r"\}(?=[\s,\[\]\ufeff]{0,255}\{)"
        end_of_array = r"\}(?=\s{0,255}\]\s{0,255}[,}])"
        not_a_value = r"(?:[^:\s]\s{0,255}|:[ \t\r]{0,255}\n\s{0,255})"  # a nested object stands behind its colon
        lost_end = rf"{not_a_value}(?={natural.record})"
        self._next_record = re.compile(f"{gap_to_record}|{lost_end}")
        self._next_in_envelope = re.compile(f"{gap_to_record}|{end_of_array}|{lost_end}")
        self._skipping = False
        self._open = False  # whether the record that is broken may only be incomplete
        self._text = ""
        self._done = 0
        self._lead = 0  # bytes in front of the next record
        self._body = 0  # bytes of it that are no longer in the text

    def feed(self, part: str, last: bool = False) -> Iterator[Record]:
        self._text = self._text[self._done :] + part
        self._done = 0
        while (found := self._next(last)) is not None:
            yield found
        if not self._more_helps(last) and not last:
            self._skipping = True
            self._drop(max(len(self._text) - _REACH, self._done))

    def finish(self, broken: str) -> Iterator[Record]:
        """What is left is a record that never ended, or an array or envelope that was never closed."""
        rest = _size(self._text[self._done :])
        if rest or broken or self._within:
            reason = broken or ("line_too_long" if self._skipping else "truncated")
            yield Record(b"", self._lead, self._body + rest, broken=reason, last=True)

    def _more_helps(self, last: bool) -> bool:
        """Whether it is worth waiting for more text."""
        return not (last or self._skipping or len(self._text) - self._done > self._line_bytes + _REACH)

    def _next(self, last: bool) -> Record | None:
        """The next record or stretch, or None where more text is needed or nothing is left."""
        while not self._skipping:
            if self._within[-1:] != "{" and (found := self._natural.plain.match(self._text, self._done)):
                self._pass(found.end())
                break
            if (decided := self._pass_gap(last)) is None or self._done == len(self._text):
                return None
            if not decided:
                break
            member = self._natural.member(self._text, self._done, not self._more_helps(last))
            if member is None:
                return None
            end, array = member
            if not end or end - self._done > self._line_bytes:
                self._within = ""
                continue
            if not array:
                return self._hand_out(end, "envelope_member")
            self._pass(end)
            self._within += "["
        if (whole := self._end_of_whole(last)) is None:
            return None
        if whole:
            return self._hand_out(whole)
        torn = self._end_of_broken(last)
        return None if torn is None else self._hand_out(torn, broken=True)

    def _pass_gap(self, last: bool) -> bool | None:
        """Pass over what stands between records; whether a member of an envelope follows, None where none can tell."""
        text = self._text
        while True:
            found = _GAP.match(text, self._done)
            end = found.end() if found else self._done
            self._pass(end)
            mark, around = text[end : end + 1], self._within[-1:]
            if mark == "[" and around != "{":
                found = _OF_OBJECTS.match(text, end)
                if around and not (found and found[1]):
                    return None if found and found.end() == len(text) and not last else False
                self._within += "[" if len(self._within) < _DEPTH else ""
            elif (mark == "]" and around != "{") or (mark == "}" and around == "{"):
                self._within = self._within[:-1] if around and mark == _CLOSES[around] else self._within
            elif mark == "{" and around != "{":
                records = self._natural.opens(text, end, not self._more_helps(last))
                if not records or records - end > self._line_bytes or len(self._within) >= _DEPTH:
                    return None if records is None else False
                self._within += "{"
            else:
                return around == "{"
            self._pass(end + 1)

    def _end_of_whole(self, last: bool) -> int | None:
        """The end of the record that begins where we are: 0 where it is broken or too long, None where it is not all
        there yet, though it may never be."""
        if self._skipping:
            return 0
        text, at = self._text, self._done
        self._open = False
        try:
            end = DECODER.raw_decode(text, at)[1]
        except json.JSONDecodeError as exc:
            self._open = unfinished(exc, last)
        except RecursionError:
            pass
        else:
            scalar = text[end - 1] != "}"  # a torn record may begin with what looks like one
            self._open = scalar and end > len(text) - 256 - NEAR_END and not last
            if end - at <= self._line_bytes and not self._open and (not scalar or _STANDS_ALONE.match(text, end)):
                return end
        return None if self._open and self._more_helps(last) else 0

    def _end_of_broken(self, last: bool) -> int | None:
        """Where the next record begins, or None where more text is needed or the record just ends too early."""
        text, at = self._text, self._done
        pattern = self._next_in_envelope if "{" in self._within else self._next_record
        if found := pattern.search(text, at):
            return at + max(len(text[at : found.end()].rstrip(" \t\r\n,[")), 0 if self._skipping else 1)
        return self._end_of_last() if last and not self._open and not self._skipping else None

    def _end_of_last(self) -> int:
        """Where a broken record ends behind which there is no other: in front of what closes the brackets around it."""
        rest = self._text[self._done :].rstrip()
        for bracket in reversed(self._within):
            rest = rest.removesuffix(_CLOSES[bracket]).rstrip()
        return self._done + max(len(rest), 1)

    def _hand_out(self, end: int, reason: str = "", broken: bool = False) -> Record:
        line = _one_line(self._text[self._done : end], broken)
        length = self._body + len(line)
        if self._skipping or (len(line) > self._line_bytes and not reason):
            reason = "line_too_long"
        found = Record(b"" if reason else line, self._lead, length, 0, reason, self._within)
        self._done, self._lead, self._body, self._skipping = end, 0, 0, False
        return found

    def _pass(self, end: int) -> None:
        """Pass over text that belongs to no record."""
        self._lead += _size(self._text[self._done : end])
        self._done = end

    def _drop(self, end: int) -> None:
        """Let go of the text of a record that is too long."""
        self._body += _size(self._text[self._done : end])
        self._done = end


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def _one_line(text: str, broken: bool) -> bytes:
    """A raw line break is only white space in JSON, but an error inside a string, which must stay one."""
    line = text.replace("\r", " ").replace("\n", " ")
    if broken and value_end(line, 0, last=True):
        line = re.sub(r"[\r\n]", "\v", text)
    return line.encode("utf-8", "surrogateescape")
