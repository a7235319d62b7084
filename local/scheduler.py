"""Cloud Scheduler's stand-in: calls the scheduled functions of functions.yaml by their cron lines, in UTC.

    python -m local.scheduler --port 0 --functions-url http://127.0.0.1:8080

A call carries the real headers. A failed call is tried again, as often as the deployed jobs do.
`POST /v1/jobs/NAME:run` runs a job now and answers with its outcome, `:pause` and `:resume` stop and start its
schedule; `GET /v1/jobs` lists the jobs. It keeps no state: like the real one it does not make up for runs missed while
it was down.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import uvicorn
from croniter import croniter  # type: ignore[import-untyped]
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from local.table import Function, read_table
from shared.adapters.tls import certificates

RETRIES = 3
DEADLINE_SECONDS = 1800.0  # the most that Cloud Scheduler allows


class Scheduler:
    """The jobs and their last outcomes; a job has the name of its function."""

    def __init__(self, functions_url: str) -> None:
        self._url = functions_url
        self.jobs: dict[str, Function] = {f.name: f for f in read_table().functions if f.schedules}
        self.last: dict[str, dict[str, str | int]] = {}
        self.paused: set[str] = set()

    async def keep_time(self, function: Function, cron: str) -> None:
        """Call the function at each time of its cron line, for ever."""
        times = croniter(cron, datetime.now(UTC))
        while True:
            due: datetime = times.get_next(datetime)
            await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
            if function.name not in self.paused:
                await self.call(function, due)

    def state(self, name: str) -> str:
        """ENABLED or PAUSED, in the words of the real one."""
        return "PAUSED" if name in self.paused else "ENABLED"

    async def call(self, function: Function, due: datetime) -> int:
        """One run with its retries; the last status, 0 where nobody answered."""
        headers = {"X-CloudScheduler-JobName": function.name, "X-CloudScheduler-ScheduleTime": due.isoformat()}
        status, text = 0, ""
        async with httpx.AsyncClient(timeout=DEADLINE_SECONDS, verify=certificates()) as client:
            for attempt in range(RETRIES + 1):
                try:
                    answer = await client.post(f"{self._url}/{function.name}/", headers=headers)
                    status, text = answer.status_code, answer.text
                except httpx.HTTPError as exc:
                    status, text = 0, type(exc).__name__
                if 200 <= status < 300:
                    break
                if attempt < RETRIES:
                    await asyncio.sleep(0.5 * 2**attempt)
        self.last[function.name] = {"at": due.isoformat(), "status": status, "answer": text}
        return status


def application(scheduler: Scheduler) -> Starlette:
    """The HTTP side, and the clock as a background task for each cron line."""

    async def order(request: Request) -> JSONResponse:
        name, verb = request.path_params["job"], request.path_params["verb"]
        function = scheduler.jobs.get(name)
        if function is None or verb not in ("run", "pause", "resume"):
            message = f"no such job; known are {', '.join(sorted(scheduler.jobs))}"
            return JSONResponse({"error": {"code": 404, "message": message}}, 404)
        if verb == "run":
            status = await scheduler.call(function, datetime.now(UTC))
            return JSONResponse(scheduler.last[name], 200 if 200 <= status < 300 else 502)
        (scheduler.paused.add if verb == "pause" else scheduler.paused.discard)(name)
        return JSONResponse({"name": name, "state": scheduler.state(name)})

    async def listing(_: Request) -> JSONResponse:
        jobs = [
            {"name": name, "schedules": function.schedules, "state": scheduler.state(name)}
            | scheduler.last.get(name, {})
            for name, function in scheduler.jobs.items()
        ]
        return JSONResponse({"jobs": jobs})

    @asynccontextmanager
    async def clock(_: Starlette) -> AsyncIterator[None]:
        pairs = [(function, cron) for function in scheduler.jobs.values() for cron in function.schedules]
        tasks = [asyncio.create_task(scheduler.keep_time(*pair)) for pair in pairs]
        yield
        for task in tasks:
            task.cancel()

    routes = [Route("/v1/jobs/{job}:{verb}", order, methods=["POST"]), Route("/v1/jobs", listing)]
    return Starlette(routes=routes, lifespan=clock)


def main() -> None:
    """Parse the command line and serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m local.scheduler", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--functions-url", required=True)
    options = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", options.port))
    sys.stdout.write(json.dumps({"ready": True, "port": listener.getsockname()[1]}) + "\n")
    sys.stdout.flush()
    server = uvicorn.Server(uvicorn.Config(application(Scheduler(options.functions_url)), log_level="warning"))
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
