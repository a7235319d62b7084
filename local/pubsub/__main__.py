"""`python -m local.pubsub --home DIR --port P`: serve until SIGTERM; one JSON line on stdout says when it is ready."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from pathlib import Path

from local.pubsub.broker import Broker, Settings
from local.pubsub.control import SERVICE
from local.pubsub.control_service import ControlService
from local.pubsub.faults import Faults
from local.pubsub.publisher import PublisherService
from local.pubsub.refusals import Refused
from local.pubsub.subscriber import SubscriberService
from local.pubsub.wire import PUBLISHER, SUBSCRIBER, new_server, register, register_bytes, register_refusals

HOST = "127.0.0.1"
GRACE_SECONDS = 0.5


def arguments(given: list[str]) -> tuple[Settings, int]:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m local.pubsub", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="folder of the durable state")
    parser.add_argument("--port", type=int, required=True, help="gRPC port on 127.0.0.1; 0 chooses a free one")
    parser.add_argument("--push-outstanding", type=int, default=8, help="pushes in flight per subscription (8)")
    parser.add_argument("--backoff-scale", type=float, default=1.0, help="multiplies retry-policy delays (1.0)")
    parser.add_argument("--duplicate-rate", type=float, default=0.01, help="share of messages delivered twice (0.01)")
    parser.add_argument("--seed", type=int, default=None, help="makes duplicates and shuffling repeatable")
    parsed = parser.parse_args(given)
    faults = Faults(duplicate_rate=parsed.duplicate_rate)
    try:
        faults.check()
    except Refused as refused:
        parser.error(refused.message)
    if parsed.push_outstanding < 1 or parsed.backoff_scale < 0:
        parser.error("--push-outstanding is at least 1 and --backoff-scale not negative")
    settings = Settings(
        home=parsed.home,
        faults=faults,
        seed=parsed.seed,
        backoff_scale=parsed.backoff_scale,
        push_outstanding=parsed.push_outstanding,
    )
    return settings, parsed.port


async def serve(settings: Settings, port: int) -> None:
    """Bind, take up the stored state, answer until told to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    broker = Broker(settings)
    server = new_server()
    register(server, "google.pubsub.v1.Publisher", PUBLISHER, PublisherService(broker))
    register(server, "google.pubsub.v1.Subscriber", SUBSCRIBER, SubscriberService(broker))
    register_refusals(server)
    register_bytes(server, SERVICE, ControlService(broker).methods())
    bound = server.add_insecure_port(f"{HOST}:{port}")
    broker.start()
    await server.start()
    sys.stdout.write(json.dumps({"ready": True, "port": bound}) + "\n")
    sys.stdout.flush()
    await stop.wait()
    await server.stop(GRACE_SECONDS)
    await broker.stop()


def main() -> None:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings, port = arguments(sys.argv[1:])
    asyncio.run(serve(settings, port))


if __name__ == "__main__":
    main()
