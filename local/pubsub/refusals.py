"""What the service says when it will not do something, in the words and with the codes of the real one.

Refused
├── not_found            the topic or subscription is not there
├── already_exists       a create for a name that is taken
├── invalid              the request itself is wrong
├── precondition         right request, wrong kind of subscription
├── unavailable          try again: a fault that was asked for, or a disk that would not take the message
└── unsupported          the real service does this, this one does not
"""

from typing import Literal

Code = Literal["NOT_FOUND", "ALREADY_EXISTS", "INVALID_ARGUMENT", "FAILED_PRECONDITION", "UNAVAILABLE", "UNIMPLEMENTED"]


class Refused(Exception):
    """An answer other than OK; the gRPC layer turns it into a status."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def not_found(resource: str) -> Refused:
    return Refused("NOT_FOUND", f"Resource not found (resource={resource.rpartition('/')[2]}).")


def already_exists(resource: str) -> Refused:
    return Refused(
        "ALREADY_EXISTS", f"Resource already exists in the project (resource={resource.rpartition('/')[2]})."
    )


def invalid(message: str) -> Refused:
    return Refused("INVALID_ARGUMENT", message)


def precondition(message: str) -> Refused:
    return Refused("FAILED_PRECONDITION", message)


def unavailable(message: str) -> Refused:
    return Refused("UNAVAILABLE", message)


def unsupported(what: str) -> Refused:
    return Refused("UNIMPLEMENTED", f"{what} is not supported here: the local Pub/Sub refuses what it does not do.")
