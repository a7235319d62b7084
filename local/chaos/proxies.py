"""The proxies of a run, in a thread of their own, and the addresses that the functions see."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from random import Random
from types import TracebackType
from urllib.parse import urlsplit

from local.chaos.proxy import Fault, Proxy


class Proxies:
    """One proxy a server, each with a fixed port for the length of the run; the servers behind may come and go."""

    def __init__(self, seed: str) -> None:
        self.injected: Counter[tuple[str, str]] = Counter()
        self._seed = seed
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._proxies: dict[str, Proxy] = {}

    def __enter__(self) -> Proxies:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        proxies = self._proxies.values()
        for proxy in proxies:
            proxy.stop()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for proxy in proxies:
                proxy.end()
            await asyncio.wait(others)  # a connection just taken is asyncio's own task until it is one of ours
        for proxy in proxies:
            proxy.close()

    def between(self, server: str, address: str, *, http: bool = True) -> str:
        """Put a proxy before the server at this URL or host:port; the same address, but of the proxy."""
        parts = urlsplit(address if "://" in address else f"//{address}")
        assert parts.port
        target = (parts.hostname or "127.0.0.1", parts.port)
        proxy = Proxy(server, target, http, Random(f"{self._seed} {server}"), self.injected)  # noqa: S311
        asyncio.run_coroutine_threadsafe(proxy.start(), self._loop).result(10)
        self._proxies[server] = proxy
        return address.replace(f":{parts.port}", f":{proxy.port}", 1)

    def order(self, server: str, *faults: Fault) -> None:
        """Let these happen to requests on their way to the server."""
        self._proxies[server].order(faults)

    def waiting(self) -> int:
        """Faults that are ordered and have not happened."""
        return sum(len(proxy.ordered) for proxy in self._proxies.values())

    @property
    def last(self) -> float:
        """When a fault happened last, by the wall clock."""
        return max((proxy.last for proxy in self._proxies.values()), default=0.0)

    def clear(self) -> int:
        """Nothing more happens; how many faults were left."""
        return sum(proxy.clear() for proxy in self._proxies.values())
