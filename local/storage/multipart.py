"""The two parts of a multipart upload: a JSON resource, then the bytes of the object, taken as a stream.

The bytes are searched only for the closing boundary and handed on as they come, so the size of the object does not
matter.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from email.parser import BytesHeaderParser
from typing import Any

from local.storage.errors import invalid
from local.storage.service import MAX_JSON, parse_object


def boundary_of(content_type: str) -> bytes:
    """The boundary of a multipart content type; gsutil puts it in single quotes."""
    for parameter in content_type.split(";")[1:]:
        key, _, value = parameter.strip().partition("=")
        if key.lower() == "boundary":
            return value.strip("\"'").encode()
    raise invalid("The Content-Type of a multipart request needs a boundary.")


class MultipartReader:
    """Reads the head once with `head`, then the object's bytes with `data`.

    Lines end as the first one does: gcloud and gsutil end theirs with a bare line feed.
    """

    def __init__(self, stream: AsyncIterator[bytes], boundary: bytes) -> None:
        self._stream = stream
        self._delimiter = b"--" + boundary
        self._line_end = b"\r\n"
        self._buffer = b""

    async def head(self) -> tuple[dict[str, Any], str | None]:
        """The JSON resource and the content type of the part that follows."""
        await self._until(self._delimiter)
        self._line_end = b"\r\n" if await self._until(b"\n") == b"\r" else b"\n"
        await self._until_blank_line()
        resource = parse_object(await self._until(self._delimiter))
        await self._until(b"\n")
        headers = BytesHeaderParser().parsebytes(await self._until_blank_line())
        return resource, headers.get("content-type")

    async def data(self) -> AsyncIterator[bytes]:
        """The bytes up to the closing boundary; a body that ends before it is refused."""
        end = self._line_end + self._delimiter
        while (found := self._buffer.find(end)) < 0:
            keep = len(self._buffer) - len(end) + 1
            if keep > 0:
                yield self._buffer[:keep]
                self._buffer = self._buffer[keep:]
            await self._more()
        yield self._buffer[:found]
        self._buffer = b""
        async for _ in self._stream:
            pass

    async def _more(self) -> None:
        try:
            self._buffer += await anext(self._stream)
        except StopAsyncIteration:
            raise invalid("The multipart body ends before its closing boundary.") from None

    async def _until(self, mark: bytes) -> bytes:
        while (found := self._buffer.find(mark)) < 0:
            if len(self._buffer) > MAX_JSON:
                raise invalid(f"The head of the multipart body is larger than {MAX_JSON} bytes.")
            await self._more()
        before, self._buffer = self._buffer[:found], self._buffer[found + len(mark) :]
        return before

    async def _until_blank_line(self) -> bytes:
        """The headers of a part, whichever line ends its writer uses."""
        lines = bytearray()
        while line := (await self._until(b"\n")).rstrip(b"\r"):
            lines += line + b"\n"
        return bytes(lines)
