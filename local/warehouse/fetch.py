"""Load sources: gs:// objects, fetched from the storage server into files, a block at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx

from local.warehouse.errors import ApiError, invalid, not_found
from shared.adapters.tls import certificates

URI = re.compile(r"^gs://([^/*]+)/(.+)$")
BLOCK = 1 << 20
GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Source:
    """One file to load: what the client calls it and where it lies."""

    name: str
    path: Path

    @property
    def size(self) -> int:
        """Bytes as stored."""
        return self.path.stat().st_size

    @property
    def gzipped(self) -> bool:
        """Whether it must be unpacked first."""
        with self.path.open("rb") as file:
            return file.read(2) == GZIP


class ObjectFetcher:
    """Reads objects over the storage JSON API."""

    def __init__(self, storage_url: str) -> None:
        self._base = storage_url.rstrip("/")

    def fetch(self, uris: Sequence[str], folder: Path) -> list[Source]:
        """All objects that the URIs name, as files in a folder; a URI that names none is an error."""
        if not self._base:
            raise invalid("No storage server: start the warehouse with --storage URL or set STORAGE_EMULATOR_HOST")
        sources: list[Source] = []
        with httpx.Client(base_url=self._base, timeout=120, verify=certificates()) as client:
            for uri in uris:
                for bucket, name in self._expand(client, uri):
                    path = folder / f"{len(sources)}.data"
                    self._download(client, bucket, name, path)
                    sources.append(Source(f"gs://{bucket}/{name}", path))
        return sources

    def _expand(self, client: httpx.Client, uri: str) -> list[tuple[str, str]]:
        found = URI.match(uri)
        if found is None:
            raise invalid(f"Invalid source URI {uri}; it is gs://bucket/object")
        bucket, name = found[1], found[2]
        if "*" not in name:
            return [(bucket, name)]
        head, _, tail = name.partition("*")
        if "*" in tail:
            raise invalid(f"Invalid source URI {uri}; only one * is allowed")
        names = [
            each for each in self._list(client, bucket, head) if each.endswith(tail) and len(each) >= len(head + tail)
        ]
        if not names:
            raise not_found("URI", uri)
        return [(bucket, each) for each in names]

    def _list(self, client: httpx.Client, bucket: str, prefix: str) -> Iterator[str]:
        token: str | None = ""
        while token is not None:
            query = {"prefix": prefix, **({"pageToken": token} if token else {})}
            answer = client.get(f"/storage/v1/b/{bucket}/o", params=query)
            self._check(answer, f"gs://{bucket}")
            body = answer.json()
            yield from (item["name"] for item in body.get("items", []))
            token = body.get("nextPageToken")

    def _download(self, client: httpx.Client, bucket: str, name: str, path: Path) -> None:
        url = f"/storage/v1/b/{bucket}/o/{quote(name, safe='')}"
        with client.stream("GET", url, params={"alt": "media"}, headers={"Accept-Encoding": "gzip"}) as answer:
            if answer.status_code != 200:
                answer.read()
            self._check(answer, f"gs://{bucket}/{name}")
            with path.open("wb") as file:
                for block in answer.iter_raw(BLOCK):
                    file.write(block)

    def _check(self, answer: httpx.Response, uri: str) -> None:
        if answer.status_code == 404:
            raise not_found("URI", uri)
        if answer.status_code != 200:
            raise ApiError(503, "backendError", f"The storage server answered {answer.status_code} for {uri}")
