"""ISO 4217 and ISO 3166, from pycountry, with the spellings that shops really send."""

from __future__ import annotations

import pycountry

_VARIANTS = {
    "uk": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB",
    "eire": "IE", "republic of ireland": "IE", "usa": "US", "u.s.a.": "US", "u.s.": "US", "america": "US",
    "channel islands": "JE", "holland": "NL", "the netherlands": "NL", "czech republic": "CZ", "turkey": "TR",
    "south korea": "KR", "russia": "RU", "uae": "AE", "rsa": "ZA", "deutschland": "DE", "espana": "ES", "italia": "IT",
}  # fmt: skip


def _countries() -> dict[str, str]:
    spellings = dict(_VARIANTS)
    for country in pycountry.countries:
        for attribute in ("alpha_2", "alpha_3", "name", "official_name", "common_name"):
            spelling = getattr(country, attribute, None)
            if spelling:
                spellings[str(spelling).casefold()] = country.alpha_2
    return spellings


COUNTRIES: dict[str, str] = _countries()
"""Every known spelling, case-folded, to its alpha-2 code."""

CURRENCIES: frozenset[str] = frozenset(currency.alpha_3 for currency in pycountry.currencies)
"""The alphabetic codes in force."""
