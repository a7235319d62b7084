"""The standard reports: what the catalogue says of them, and what a request may ask. Pure: today is an argument.

A request is judged as a whole: whoever writes three parameters wrongly is told of all three at once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Literal

import msgspec

from shared.errors import OrderRefused

Value = str | int | date
MAX_SHOWN = 40
"""Characters of a wrong value that an answer repeats."""


class Parameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a request may set, and under which name the SQL takes it."""

    sql_name: str = msgspec.field(name="as")
    type: Literal["date", "text", "integer"]
    description: str
    pattern: str = ""
    hint: str = ""
    least: int = 0
    most: int = 0
    default: int | None = None


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column of a report and the unit of its values."""

    name: str
    type: Literal["date", "text", "integer", "decimal", "boolean"]
    unit: str = ""


class Plot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which column is drawn along which, and by which column the lines are told apart."""

    x: str
    y: str
    kind: Literal["line", "bar"]
    by: str = ""


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One standard report: the question, what it takes and gives, and the marts it reads."""

    title: str
    question: str
    marts: tuple[str, ...]
    parameters: tuple[str, ...]
    columns: tuple[Column, ...]
    plot: Plot
    limit: int
    days: int = 0


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All reports and the parameters that they share."""

    most_days: int
    parameters: Mapping[str, Parameter]
    reports: Mapping[str, Report]

    def find(self, name: str) -> Report:
        """The report of this name. Raises OrderRefused `unknown_report`, which names those that there are."""
        if name not in self.reports:
            raise OrderRefused("unknown_report", f"there is no report {_short(name)}; ask for {_names(self.reports)}")
        return self.reports[name]

    def read(
        self, report: Report, given: Iterable[tuple[str, str]], today: date, found: Sequence[str] = ()
    ) -> dict[str, Value]:
        """The value of each parameter of the report, by its name in a request; what is not given has its default.

        `today` (UTC) decides the default period, which ends with the day before. A filter that is not given is "".
        Raises OrderRefused `bad_parameters`, which tells every problem, those already `found` too, and what to write.
        """
        texts = list(given)
        problems = [*found, *_strangers(report, texts)]
        values: dict[str, Value] = {}
        for name in report.parameters:
            parameter, text = self.parameters[name], dict(texts).get(name)
            try:
                values[name] = _default(name, parameter, report) if text is None else _parsed(parameter, text)
            except ValueError as exc:
                problems.append(f"{name} must be {exc}, it is {_short(str(text))}")
        if "from" in values and "to" in values:
            problems += self._period(report, values, today)
        if problems:
            raise OrderRefused("bad_parameters", "; ".join(problems))
        return values

    def sql_values(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """The same values by their names in the SQL."""
        return {self.parameters[name].sql_name: value for name, value in values.items()}

    def _period(self, report: Report, values: dict[str, Value], today: date) -> list[str]:
        """Fill in the days that were not given; what is wrong with the period."""
        first, last = values["from"], values["to"] or today - timedelta(days=1)
        assert isinstance(last, date)
        if not first:
            first = date.fromordinal(max(1, last.toordinal() - report.days + 1))
        assert isinstance(first, date)
        values["from"], values["to"] = first, last
        if first > last:
            return [f"from must not be after to, but {first} is after {last}"]
        if (days := (last - first).days + 1) > self.most_days:
            return [f"from and to may span {self.most_days:,} days at most, these are {days:,}"]
        return []


def _strangers(report: Report, texts: Sequence[tuple[str, str]]) -> Iterable[str]:
    """What is wrong with the names alone."""
    for name, times in Counter(name for name, _ in texts).items():
        if name not in report.parameters:
            yield f"{_short(name)} is no parameter of this report, it takes {_names(report.parameters)}"
        elif times > 1:
            yield f"{name} must be given once, it is given {times} times"


def _default(name: str, parameter: Parameter, report: Report) -> Value:
    if name == "limit":
        return report.limit
    return "" if parameter.default is None else parameter.default


def _parsed(parameter: Parameter, text: str) -> Value:
    """The value of a parameter as it is written. Raises ValueError, which says what to write."""
    if parameter.type == "date":
        try:
            if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
                return date.fromisoformat(text)
        except ValueError:
            pass
        raise ValueError("a day written YYYY-MM-DD")
    if parameter.type == "integer":
        if not re.fullmatch(r"[0-9]{1,9}", text) or not parameter.least <= int(text) <= parameter.most:
            raise ValueError(f"a whole number from {parameter.least} to {parameter.most}")
        return int(text)
    if not re.fullmatch(parameter.pattern, text):
        raise ValueError(parameter.hint)
    return text


def _short(text: str) -> str:
    return repr(text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…")


def _names(names: Mapping[str, Report] | tuple[str, ...]) -> str:
    return ", ".join(names)
