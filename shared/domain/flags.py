"""The flags of a row, one bit each; the reader of a mart sees them as columns."""

from __future__ import annotations

NAIVE_TIME = 1
"""The timestamp had no zone and was taken as UTC."""
GUEST = 2
"""No user: a guest checkout."""
OTHER_PAYMENT = 4
"""The payment method is missing or not in the list; a raw value is in `extra`."""
LATE = 8
"""Landed more than a day after it occurred."""
INFERRED_USER = 16
"""Set by enrich: the user is not known yet."""
INFERRED_PRODUCT = 32
"""Set by enrich: the product is not known yet."""
PRICE_MISMATCH = 64
"""Set by enrich: the amount is not a multiple of the product's price at the time of sale."""
MISSING_RATE = 128
"""Set by enrich: no exchange rate is known on or before the day of sale."""
AMBIGUOUS_DATE = 256
"""A date could have been read in two ways and was read in the declared order of day and month."""
