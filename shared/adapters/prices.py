"""The price list, shared/prices.yaml, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml

from shared.domain.pricing import Prices, prices_of
from shared.errors import ConfigError

LIST = Path(__file__).resolve().parents[1] / "prices.yaml"


@cache
def price_list(path: Path = LIST) -> Prices:
    """BigQuery's prices. Raises ConfigError where the list is missing or a price is not a number."""
    try:
        return prices_of(yaml.safe_load(path.read_text(encoding="utf-8"))["bigquery"])
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, ArithmeticError) as exc:
        raise ConfigError(f"{path.name} is not a price list: {type(exc).__name__}; see docs/cost.md") from exc
