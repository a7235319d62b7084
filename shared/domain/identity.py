"""Names derived from content and place, so that doing a thing twice gives the same thing once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable


def file_id(bucket: str, name: str, generation: int, reprocess: int = 0) -> str:
    """The id of one generation of an object: a re-upload under the same name is a new file, and so is another pass."""
    again = f"@{reprocess}" if reprocess else ""
    return hashlib.sha256(f"{bucket}/{name}#{generation}{again}".encode()).hexdigest()


def chunk_id(file: str, ordinal: int) -> str:
    """The id of the chunk with this ordinal, counted from 0, of a file."""
    return f"{file}-{ordinal:06d}"


def content_hash(fields: Iterable[str]) -> str:
    """128 bits over the normalised source fields, as hex: equal content is recognised whatever file it came in.

    BLAKE2b; the unit separator between the fields cannot occur in a cleaned field, so no two lists collide by joining.
    """
    return hashlib.blake2b("\x1f".join(fields).encode(), digest_size=16).hexdigest()


def digest(data: bytes) -> str:
    """A short name for some bytes, so that an object written once is never taken for another version of itself."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()
