"""What a text is about, where a sentence does not say it."""

from __future__ import annotations

from dataclasses import dataclass

MIN_FOCUS_MENTIONS = 3
MAX_RIVAL_SHARE = 1 / 3  # of the mentions of the focus
SALIENT_CHARS = 250  # of a body, where the focus must be named unless the title does


@dataclass(frozen=True, slots=True)
class Focus:
    """What a segment is about, and whether the fence lets it stand in for a missing vendor."""

    vendor: str | None = None
    is_salient: bool = False
    is_own_channel: bool = False  # the source speaks for this one vendor

    @property
    def can_carry(self) -> bool:
        """Whether a sentence without any name may tell of this vendor."""
        return self.is_salient or self.is_own_channel
