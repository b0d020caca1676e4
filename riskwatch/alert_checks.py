"""Checks and small conversions that every change of alerting's objects shares."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from riskwatch.errors import Conflict, Forbidden, Invalid, NotFound
from riskwatch.model import ReceiverState
from riskwatch.send.rule import AlertRule
from riskwatch.send.rule_words import speaks_when, watches
from riskwatch.serve.alert_actions import ReceiverCard, RuleCard

if TYPE_CHECKING:
    from riskwatch.model import Actor, StoredReceiver, StoredRule

_Row = TypeVar("_Row")


def validated(make: Callable[..., _Row], body: Mapping[str, Any]) -> _Row:
    """Return a body as a model, strictly typed. Raises Invalid with the first wrong field."""
    try:
        return make(json.dumps(body), strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        text = str(first["msg"]).removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            text = "unknown key; remove it or correct its spelling"
        raise Invalid(field, text) from None


def body_of(model: BaseModel) -> dict[str, Any]:
    """Return a config model as it would be written, without what is default."""
    return model.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def same_id(written: str, asked: str | None) -> None:
    """Raise Invalid where the body and the address name different things."""
    if asked is not None and written != asked:
        raise Invalid("id", f"the body names {written}, the address {asked}")


def must_be(held: object, asked: str | None, what: str, id_: str) -> None:
    """Raise Conflict where a new id is taken, NotFound where an id to change is not there."""
    if asked is None and held is not None:
        raise Conflict(f"the id {id_} is taken; PUT changes it")
    if asked is not None and held is None:
        raise NotFound(what, id_, "POST makes one")


def found(rows: Sequence[_Row], what: str, id_: str) -> _Row:
    """Return the one row. Raises NotFound."""
    if not rows:
        raise NotFound(what, id_)
    return rows[0]


def may_change(actor: Actor, author: str | None) -> None:
    """Raise Forbidden where somebody else made it and the actor is no admin."""
    if author != actor.id and not actor.may_all:
        raise Forbidden("admin")


def rule_card(rule: AlertRule, *, version: int, origin: str, owner: str | None) -> RuleCard:
    """Return a rule as the web shows it."""
    words = speaks_when(rule), watches(rule)
    return RuleCard(rule.id, version, origin, owner, rule.enabled, body_of(rule), *words)


def stored_card(row: StoredRule) -> RuleCard:
    """Return a stored rule as the web shows it."""
    rule = validated(AlertRule.model_validate_json, row.body)
    return rule_card(rule, version=row.version, origin=row.origin, owner=row.author)


def receiver_card(row: StoredReceiver, states: Mapping[str, ReceiverState]) -> ReceiverCard:
    """Return a Receiver as the web shows it."""
    state = states.get(row.id, ReceiverState(row.id))
    return ReceiverCard(
        row.id, row.kind, row.origin, row.author, row.is_enabled, row.config, row.verified_at, state
    )


def instant_of(text: str | None) -> datetime | None:
    """Return a stored setting as an instant."""
    return None if text is None else datetime.fromisoformat(text)
