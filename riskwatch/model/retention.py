"""For how long things are kept: config/retention.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Days = Annotated[int, Field(ge=30, le=36_500)]


class Retention(BaseModel):
    """How old things are when they go, and how many at once; Events, Signals, Scores and audit log never."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    article_text_days: Days = Field(
        default=730, description="text of articles, unless it is evidence of an event that still counts"
    )
    polls_days: Days = Field(default=90, description="polls; the last good one of a source and day stays")
    delivery_attempts_days: Days = Field(default=180, description="tries to deliver a message")
    delivered_payloads_days: Days = Field(default=395, description="contents of messages that were delivered")
    most_percent: int = Field(
        default=50,
        ge=1,
        le=100,
        description="percent of all texts, or of all polls, that may go in one run; more is refused: "
        "a clock that is wrong would delete everything. 100 refuses nothing",
    )
