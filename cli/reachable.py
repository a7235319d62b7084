"""`python -m cli.reachable HOST:PORT SECONDS`: waits until the network is there. A job does so before anything else.

"Connection establishment delays of a minute or more on instance startup" belong to direct VPC egress
(https://cloud.google.com/run/docs/configuring/vpc-direct-vpc#limitations). No call of `sluice` waits that long, so a
healthy release would fail its smoke test and be gone back from.
"""

from __future__ import annotations

import socket
import sys
import time
from itertools import count

TRY_SECONDS = 5.0
PAUSE_SECONDS = 1.0
WHAT_TO_CHECK = (
    "Look whether the job's subnet has free addresses, and at the firewall rule sluice-allow-google and the private "
    "zone sluice-googleapis (terraform/network.tf); where all is as planned, start the job again"
)


def main(address: str, seconds: float) -> int:
    """Try to connect for about that long, and tell it on standard error; 1 where nobody answers."""
    start = time.monotonic()
    for tried in count():
        refusal = _refusal(address)
        waited = time.monotonic() - start
        if not refusal:
            _tell(f"{address} was reached after {waited:.0f} s")
            return 0
        if waited + PAUSE_SECONDS >= seconds:
            break
        if tried == 0:
            _tell(f"waiting for {address} ({refusal})")
        time.sleep(PAUSE_SECONDS)
    _tell(f"{address} was not reached in {seconds:.0f} s ({refusal}). {WHAT_TO_CHECK}")
    return 1


def _refusal(address: str) -> str:
    """Why no connection comes about; empty where one does."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=TRY_SECONDS).close()
    except OSError as exc:
        return str(exc)
    return ""


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
