"""The two ways in which a SQL text is turned down.

UnsupportedSql    BigQuery may well run it, this stand-in does not: it is refused, never guessed
InvalidSql        BigQuery itself would refuse it

The server answers both with 400 invalidQuery; the messages tell them apart.
"""


class UnsupportedSql(Exception):
    """A text that is outside what this stand-in translates faithfully."""

    def __init__(self, what: str) -> None:
        super().__init__(f"Not supported here: {what}")


class InvalidSql(Exception):
    """A text that BigQuery would refuse as well."""
