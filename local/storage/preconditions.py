"""The four preconditions of the JSON API, for the object itself and for the source of a copy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from local.storage.errors import condition_not_met, invalid, not_modified

KINDS = ("Generation", "Metageneration")
KNOWN = {f"if{source}{kind}{match}" for source in ("", "Source") for kind in KINDS for match in ("Match", "NotMatch")}


def refuse_unknown(query: Mapping[str, str]) -> None:
    """Refuse a misspelt precondition: ignoring it would let the very write through that it should stop.

    The client library itself sends ifMetaGenerationNotMatch with uploads.
    """
    for name in query:
        if name.startswith("if") and name not in KNOWN:
            raise invalid(f"Unknown precondition {name}; known are {', '.join(sorted(KNOWN))}.")


def integer(query: Mapping[str, str], name: str) -> int | None:
    """A whole number from the query, or a refusal that names the parameter."""
    text = query.get(name)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise invalid(f"Invalid value for {name}: a whole number is needed.")
    return int(text)


@dataclass(frozen=True, slots=True)
class Preconditions:
    """What must hold for a request to go on; None means not asked."""

    generation: int | None = None
    not_generation: int | None = None
    metageneration: int | None = None
    not_metageneration: int | None = None

    @classmethod
    def parse(cls, query: Mapping[str, str], prefix: str = "if") -> Preconditions:
        """Read them from the query; `ifSource` is the prefix for the source of a copy."""
        return cls(
            integer(query, f"{prefix}GenerationMatch"),
            integer(query, f"{prefix}GenerationNotMatch"),
            integer(query, f"{prefix}MetagenerationMatch"),
            integer(query, f"{prefix}MetagenerationNotMatch"),
        )

    def check(self, generation: int, metageneration: int, *, reading: bool = False) -> None:
        """Compare with what stands (generation 0: nothing); 412, or 304 for a read that asked for a change."""
        if self.generation is not None and self.generation != generation:
            raise condition_not_met()
        if self.metageneration is not None and self.metageneration != metageneration:
            raise condition_not_met()
        if self.not_generation == generation or self.not_metageneration == metageneration:
            raise not_modified() if reading else condition_not_met()
