"""What inputs are made of: rows of generated files, a real export where it is there, and the catalogue of damage."""

from __future__ import annotations

import base64
import gzip
import json
import re
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

from local.generate import generate
from tests.integration.pipeline.damage import DAMAGE

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "data" / "online-retail" / "online_retail_10k.csv"
SHORT = 400
ENVELOPE = {
    "message": {"data": "", "attributes": {"a": "b"}, "messageId": "1", "publishTime": "2026-03-01T10:00:00.5Z"},
    "subscription": "projects/p/subscriptions/validate-chunks",
    "deliveryAttempt": 2,
}


@dataclass(frozen=True)
class Corpus:
    """Rows of each kind as they stand in files, and whole messages by the name of their struct."""

    objects: list[bytes]
    products: list[bytes]
    cells: list[bytes]
    rates: list[bytes]
    pieces: list[bytes]
    messages: dict[str, list[bytes]]
    headers: list[bytes]

    def lines(self, rng: Random, source: str = "transactions") -> bytes:
        """Some rows, one a line."""
        rows = self.products if source == "products" else self.objects
        return rng.choice([b"\n", b"\n", b"\r\n", b"\n\n"]).join(some(rng, rows))

    def records(self, rng: Random) -> bytes:
        """Some rows as an array, a stream, or in envelopes."""
        rows = some(rng, self.objects)
        if rng.random() < 0.3:
            rows = [row.replace(b", ", b",\n  ").replace(b'{"', b'{\n"') for row in rows]
        head, between, tail = rng.choice(
            [(b"[", b",", b"]"), (b"[\n", b" ,\n", b"\n]\n"), (b"", b"", b""), (b"", b"\n", b"\n"),
             (b'{"items":[', b",", b"]}"), (b'{"n":{"a":[1]},"items": [', b", ", b'], "next": null}'),
             (b'[{"items":[', b']},{"p":2,"items":[', b"]}]")]
        )  # fmt: skip
        return head + between.join(rows) + tail

    def table(self, rng: Random, source: str = "users") -> bytes:
        """A header and some records."""
        if source == "fx_rates":
            return b"date,currency,rate\n" + b"\n".join(some(rng, self.rates))
        header = rng.choice(self.headers)
        return header + b"\n" + b"\n".join(some(rng, self.cells))

    def push(self, rng: Random) -> bytes:
        """A push envelope around some rows."""
        message = {**ENVELOPE["message"], "data": base64.b64encode(self.lines(rng)).decode()}  # type: ignore[dict-item]
        return json.dumps({**ENVELOPE, "message": message}).encode()

    def packed(self, rng: Random) -> bytes:
        """One or two gzip members."""
        text = self.lines(rng)
        at = rng.randint(0, len(text))
        return gzip.compress(text[:at], 1, mtime=0) + (
            gzip.compress(text[at:], 1, mtime=0) if rng.random() < 0.5 else b""
        )


def some(rng: Random, rows: list[bytes]) -> list[bytes]:
    """A few rows, mostly different ones."""
    return [rng.choice(rows) for _ in range(rng.randint(0, 4))]


def load_corpus() -> Corpus:
    """Make the corpus; it is the same each time where the real export is there, and where it is not."""
    with tempfile.TemporaryDirectory(prefix="sluice-fuzz-") as name:
        folder = Path(name)
        generate(
            folder, transactions=400, users=80, products=40, dirt=0.3, seed=7, days=5, start=date(2026, 2, 20)
        )  # fmt: skip
        objects = _lines(folder, "transactions*")
        products = _lines(folder, "products*")
        users = _lines(folder, "users*")
        rates = _lines(folder, "fx_rates*")
    real = REAL.read_bytes().split(b"\n")[:2_000] if REAL.exists() else []
    headers = [
        users[0],
        *(real[:1]),
        b"user_id;e-mail;country",
        b"user_id,country,country",
        b"\xef\xbb\xbfuser_id\tEmail",
    ]
    pieces = [piece.between for shape in DAMAGE.values() for piece in shape if len(piece.between) < SHORT]
    return Corpus(objects, products, [*users[1:], *real[1:]], rates[1:], pieces, _messages(), headers)


def _lines(folder: Path, pattern: str) -> list[bytes]:
    lines = [line for path in sorted(folder.glob(pattern)) for line in path.read_bytes().split(b"\n") if line]
    return [line for line in lines if len(line) < SHORT]


def _messages() -> dict[str, list[bytes]]:
    """The examples of docs/contracts.md, by struct."""
    page = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
    found = re.findall(r"^### (\w+)$.*?^```json\n(.*?)^```$", page.partition("\n## Messages\n")[2], re.M | re.S)
    return {name: [json.dumps(json.loads(text)).encode()] for name, text in found}
