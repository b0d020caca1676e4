"""For how long things are kept: config/retention.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Days = Annotated[int, Field(ge=30, le=36_500)]


class Retention(BaseModel):
    """Days after which something is deleted; Events, Signals, Scores and the audit log never are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    article_text_days: Days = Field(
        default=730, description="text of articles, unless it is evidence of an event that still counts"
    )
    polls_days: Days = Field(default=90, description="polls; the last good one of a source and day stays")
    delivery_attempts_days: Days = Field(default=180, description="tries to deliver a message")
    delivered_payloads_days: Days = Field(default=395, description="contents of messages that were delivered")
