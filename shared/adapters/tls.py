"""The certificates that servers are checked by, read once for a process: each client would read them anew, in 35 ms."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def certificates() -> ssl.SSLContext:
    """What httpx checks a server by."""
    return httpx.create_ssl_context()
