"""The crc32c of bytes as Cloud Storage writes it."""

from __future__ import annotations

import base64

import google_crc32c


def crc32c(data: bytes) -> str:
    """Big-endian, base64."""
    return base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()
