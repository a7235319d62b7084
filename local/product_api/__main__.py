"""The program: `python -m local.product_api --port 0`. It needs the variables of the functions (`sluice env`)."""

from __future__ import annotations

import argparse
import json
import signal
import sys

import functions_framework

from local.product_api.server import Ask, server
from local.table import ROOT


def ask_function() -> Ask:
    """The function product_api behind functions-framework, as it is deployed, without a socket between."""
    source = str(ROOT / "functions" / "product_api" / "main.py")
    app = functions_framework.create_app("product_api", source, "http")  # type: ignore[no-untyped-call]

    def ask(path: str) -> tuple[int, bytes]:
        answer = app.test_client().get(path)
        return answer.status_code, answer.get_data()

    return ask


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="python -m local.product_api", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with server(options.port, ask_function()) as serving:
        sys.stdout.write(json.dumps({"ready": True, "port": serving.server_address[1]}) + "\n")
        sys.stdout.flush()
        serving.serve_forever()


if __name__ == "__main__":
    main()
