"""What a name, a set of labels and a page look like, checked before anything is made from them."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence

from local.pubsub.refusals import invalid

RESOURCE_ID = re.compile(r"[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}")
PROJECT = re.compile(r"projects/[^/]+")
LABEL_KEY = re.compile(r"[^\W\d_][\w-]{0,62}")
LABEL_VALUE = re.compile(r"[\w-]{0,63}")
LABEL_LIMIT = 64
PAGE_DEFAULT, PAGE_LIMIT = 100, 1_000


def check_name(name: str, collection: str) -> None:
    """Accept projects/P/<collection>/ID with an ID the service would accept."""
    project, _, identifier = name.partition(f"/{collection}/")
    if not PROJECT.fullmatch(project) or not RESOURCE_ID.fullmatch(identifier) or identifier.startswith("goog"):
        raise invalid(
            f"Invalid [{collection}] name: (name={name}); it must look like projects/PROJECT/{collection}/ID, the ID"
            " 3 to 255 letters, digits or -_.~+% that start with a letter and not with goog."
        )


def check_project(name: str) -> None:
    if not PROJECT.fullmatch(name):
        raise invalid(f"Invalid project name: (name={name}); it must look like projects/PROJECT.")


def check_labels(labels: Mapping[str, str]) -> None:
    if len(labels) > LABEL_LIMIT:
        raise invalid(f"A resource has at most {LABEL_LIMIT} labels, not {len(labels)}.")
    for key, value in labels.items():
        if not LABEL_KEY.fullmatch(key) or key != key.lower():
            raise invalid(
                f"Invalid label key {key!r}: lower-case letters, digits, _ and -, a letter first, at most 63."
            )
        if not LABEL_VALUE.fullmatch(value) or value != value.lower():
            raise invalid(f"Invalid value of label {key!r}: lower-case letters, digits, _ and -, at most 63.")


def page(names: Sequence[str], size: int, token: str) -> tuple[Sequence[str], str]:
    """One page of sorted names and the token of the next; the token holds the last name, so inserts do not shift it."""
    if size < 0:
        raise invalid(f"The page size is negative: {size}.")
    after = _read_token(token)
    rest = sorted(name for name in names if name > after)
    shown = rest[: min(size or PAGE_DEFAULT, PAGE_LIMIT)]
    more = len(rest) > len(shown)
    return shown, base64.urlsafe_b64encode(shown[-1].encode()).decode() if more else ""


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise invalid("The page token is not one that this service gave out.") from error
