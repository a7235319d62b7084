"""Cloud Storage by the real client; every foreign error is mapped here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, partial
from typing import BinaryIO, cast

from google.api_core import exceptions as gax
from google.cloud.storage import Blob, Client  # type: ignore[import-untyped]
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse  # type: ignore[import-untyped]
from google.cloud.storage.fileio import BlobWriter  # type: ignore[import-untyped]
from google.cloud.storage.retry import DEFAULT_RETRY  # type: ignore[import-untyped]
from requests import exceptions as rx

from shared.adapters.ports import CALL_SECONDS, PATIENCE_SECONDS, ObjectInfo
from shared.errors import DependencyUnavailable, Inconsistent, Throttled

WRITTEN_BYTES = 4 << 20
"""What is sent at once of a stream whose length is not known."""
UNAVAILABLE = (
    gax.ServerError, gax.RetryError, rx.ConnectionError, rx.Timeout, rx.ChunkedEncodingError, DataCorruption,
)  # fmt: skip


@cache
def client(project: str) -> Client:
    """One client a process; it is safe to share between threads."""
    return Client(project=project)


class CloudStorage:
    """ObjectStore over google-cloud-storage."""

    call_seconds = CALL_SECONDS

    def __init__(self, project: str, patience: float = PATIENCE_SECONDS) -> None:
        self._client = client(project)
        self._retry = DEFAULT_RETRY.with_timeout(patience)

    def stat(self, bucket: str, name: str, generation: int | None = None) -> ObjectInfo | None:
        with _mapped(bucket, name):
            blob = self._client.bucket(bucket).get_blob(
                name, generation=generation, timeout=self.call_seconds, retry=self._retry
            )
        return None if blob is None else _info(bucket, blob)

    def read(
        self, bucket: str, name: str, *, generation: int | None = None, start: int = 0, length: int | None = None
    ) -> bytes:
        if length == 0:
            return b""
        end = None if length is None else start + length - 1
        with _mapped(bucket, name):
            # Tried again here, not by the client: it leaves the answer that refused a download unread, and its
            # connection open until it is collected.
            download = partial(
                self._blob(bucket, name, generation).download_as_bytes,
                start=start or None,
                end=end,
                raw_download=True,
                checksum="auto" if start == 0 and end is None else None,
                timeout=self.call_seconds,
                retry=None,
            )
            try:
                data: bytes = self._retry(download)()
            except gax.RequestRangeNotSatisfiable:
                return b""
        return data

    def blocks(
        self, bucket: str, name: str, *, generation: int | None = None, start: int = 0, block: int = 4 << 20
    ) -> Iterator[bytes]:
        while data := self.read(bucket, name, generation=generation, start=start, length=block):
            yield data
            start += len(data)
            if len(data) < block:
                return

    def write_once(self, bucket: str, name: str, data: bytes, *, metadata: Mapping[str, str] | None = None) -> bool:
        blob = self._blob(bucket, name)
        blob.metadata = dict(metadata) if metadata else None
        with _mapped(bucket, name):
            try:
                blob.upload_from_string(
                    data,
                    content_type="application/octet-stream",
                    if_generation_match=0,
                    timeout=self.call_seconds,
                    retry=self._retry,
                )
            except gax.PreconditionFailed:
                return False
        return True

    @contextmanager
    def open_once(self, bucket: str, name: str) -> Iterator[BinaryIO]:
        with _mapped(bucket, name):
            try:
                with (
                    _as_api_errors(),
                    _Writer(
                        self._blob(bucket, name),
                        if_generation_match=0,
                        chunk_size=WRITTEN_BYTES,
                        timeout=self.call_seconds,
                        retry=self._retry,
                    ) as out,
                ):
                    yield cast(BinaryIO, out)
            except gax.PreconditionFailed as exc:
                raise Inconsistent("object_exists", f"gs://{bucket}/{name} was written before") from exc

    def delete(self, bucket: str, name: str) -> None:
        with _mapped(bucket, name):
            try:
                self._blob(bucket, name).delete(timeout=self.call_seconds, retry=self._retry)
            except gax.NotFound:
                return

    def listing(self, bucket: str) -> Iterator[ObjectInfo]:
        with _mapped(bucket, ""):
            for blob in self._client.list_blobs(bucket, retry=self._retry):
                yield _info(bucket, blob)

    def _blob(self, bucket: str, name: str, generation: int | None = None) -> Blob:
        return self._client.bucket(bucket).blob(name, generation=generation)


class _Writer(BlobWriter):  # type: ignore[misc]
    """A writer that has failed does nothing more.

    The client's would go on when it is collected: it sends what it still holds as the end of the object, which makes a
    whole one of a stream that was given up while the server was away.
    """

    _over = False

    def close(self) -> None:
        if not self._over:
            self._over = True
            super().close()

    def terminate(self) -> None:
        self._over = True
        super().terminate()


def _info(bucket: str, blob: Blob) -> ObjectInfo:
    return ObjectInfo(
        bucket=bucket,
        name=str(blob.name),
        generation=int(blob.generation),
        size=int(blob.size),
        crc32c=str(blob.crc32c),
        created_at=cast(datetime, blob.time_created).astimezone(UTC),
        metadata=dict(blob.metadata or {}),
    )


@contextmanager
def _as_api_errors() -> Iterator[None]:
    """The client's writer raises its transport's error, which belongs to no other error of the library."""
    try:
        yield
    except InvalidResponse as exc:
        raise gax.from_http_status(  # type: ignore[no-untyped-call]
            exc.response.status_code, "refused while it was written"
        ) from exc


@contextmanager
def _mapped(bucket: str, name: str) -> Iterator[None]:
    try:
        yield
    except gax.NotFound as exc:
        raise Inconsistent("object_missing", f"gs://{bucket}/{name} is not there") from exc
    except gax.TooManyRequests as exc:
        raise Throttled(f"Cloud Storage throttles gs://{bucket}") from exc
    except UNAVAILABLE as exc:
        raise DependencyUnavailable(f"Cloud Storage does not answer for gs://{bucket}: {type(exc).__name__}") from exc
