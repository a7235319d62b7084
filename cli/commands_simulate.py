"""`sluice simulate`: let the simulated product API of the local cloud go wrong on purpose, and see what it served."""

from __future__ import annotations

import os
from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
import typer

from cli.cloud import DEFAULT_HOME, HomeOption, JsonOption
from cli.output import console, fail, print_json, print_mapping, print_table
from local.product_api.plan import FAULTS, BadPlan, Plan, make_plan
from local.stack import running_cloud
from shared.adapters.tls import certificates

SECONDS = 10.0


class Target(StrEnum):
    """What can be simulated."""

    api = "api"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Examples:  sluice simulate api --fault 429=0.2 --fault 5xx=0.1 --retry-after 2  |  "
        "sluice simulate api --script ok,429,reset*2  |  sluice simulate api --schema drop:supplier_id  |  "
        "sluice simulate api --show  |  sluice simulate api --clear"
    )(simulate)


def simulate(
    target: Annotated[Target, typer.Argument(help="api: the product API.")],  # noqa: ARG001  # there is one so far
    fault: Annotated[
        list[str] | None, typer.Option("--fault", help=f"KIND=RATE; kinds: {', '.join(FAULTS)}. May be repeated.")
    ] = None,
    script: Annotated[str, typer.Option(help="Steps of the next requests, such as ok,429,5xx*3.")] = "",
    schema: Annotated[
        list[str] | None,
        typer.Option("--schema", help="rename:OLD=NEW, retype:FIELD=TYPE, drop:FIELD or add:FIELD=TYPE. Repeatable."),
    ] = None,
    retry_after: Annotated[float, typer.Option("--retry-after", help="Seconds that a 429 asks to wait.")] = 1.0,
    hang: Annotated[
        float, typer.Option("--hang-seconds", help="Seconds that a timeout keeps a request waiting.")
    ] = 60.0,
    seed: Annotated[int, typer.Option(help="The same seed throws the same dice.")] = 1,
    clear: Annotated[bool, typer.Option("--clear", help="End all faults and changes.")] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Tell the faults and what was served since they were set.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Tell the simulated product API what to do wrong from now on; a new plan takes the place of the earlier one."""
    wanted = bool(fault or script or schema)
    if clear + show + wanted != 1:
        fail("say one of --show, --clear, or what is to go wrong: --fault, --script, --schema")
    try:
        plan = make_plan(
            fault or [], script, schema or [], retry_after=retry_after, hang_seconds=hang, seed=seed
        )  # fmt: skip
    except BadPlan as exc:
        fail(str(exc))
    url = _control(home)
    if show:
        _print_served(_call("GET", url), as_json)
        return
    told = _call("DELETE", url) if clear else _call("PUT", url, plan)
    if as_json:
        print_json(told)
    elif clear:
        console.print("The product API behaves well again.")
    else:
        _print_plan(told["plan"])


def _control(home: Path) -> str:
    url = os.environ.get("PRODUCT_API_URL")
    endpoints = None if url else running_cloud(home)
    if not url and endpoints is None:
        fail(f"no local cloud runs in {home}; start one with `sluice up`")
    return f"{url or (endpoints.product_api if endpoints else '')}/simulation"


def _call(method: str, url: str, plan: Plan | None = None) -> dict[str, Any]:
    try:
        body = msgspec.json.encode(plan) if plan else None
        answer = httpx.request(method, url, content=body, timeout=SECONDS, verify=certificates())
        told: dict[str, Any] = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as exc:
        fail(f"no simulated product API answers at {url} ({type(exc).__name__})", 1)
    if answer.status_code != 200 or "plan" not in told:
        fail(f"what answers at {url} is not the simulated product API (status {answer.status_code})", 1)
    return told


def _print_plan(plan: dict[str, Any]) -> None:
    steps = Counter(plan["script"])
    rows: dict[str, object] = {f"fault {kind}": f"{rate:g} of requests" for kind, rate in plan["rates"].items()}
    rows |= {f"script {kind}": f"{times} requests" for kind, times in steps.items()}
    rows |= {
        f"schema {change['kind']}": " → ".join(filter(None, (change["field"], change["to"])))
        for change in plan["schema"]
    }
    rows |= {"Retry-After of a 429": f"{plan['retry_after']:g} s", "seed": str(plan["seed"])}
    print_mapping("Product API, from now on", rows)


def _print_served(told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    served = told["served"]
    _print_plan(told["plan"])
    faults = {f"answered with {kind}": count for kind, count in served["faults"].items()}
    early = served["early_requests"]
    print_mapping("Served", {"requests": served["requests"], **faults, "before their Retry-After was over": early})
    pages = [(page["run"], page["page"], page["asked"], page["whole"]) for page in served["pages"]]
    print_table("Pages", ["run", "page", "asked for", "served whole"], pages)
