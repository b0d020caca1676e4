"""Alert rules, receivers, digests and deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from riskwatch.errors import Conflict, NotFound
from riskwatch.model import Actor
from riskwatch.serve import answers
from riskwatch.serve import present_alerts as present
from riskwatch.serve.alerts import backtests_of
from riskwatch.serve.answers_alerts import (
    BacktestAnswer,
    DeliveryAnswer,
    DeliveryDetail,
    DigestAnswer,
    DigestPreview,
    ReceiverAnswer,
    Removed,
    RuleAnswer,
    TranscriptAnswer,
)
from riskwatch.serve.query import Nothing, moment_cursor, moment_place
from riskwatch.serve.query_alerts import DeliveryQuery, DigestBody, ReceiverBody, RuleBody, RuleQuery
from riskwatch.serve.route import Desk, Route
from riskwatch.store import DeliveryFilter


# -------------------------------------------------------------------------------- rules
def list_alert_rules(desk: Desk, _query: Nothing) -> Mapping[str, Any]:
    """List the alert rules, by id."""
    return {"items": [present.rule(card) for card in desk.alerting.rules()], "next_cursor": None}


def get_alert_rule(desk: Desk, query: RuleQuery | Nothing, alert_rule: str) -> Mapping[str, Any]:
    """Return one alert rule, with the instants at which it would have fired where asked for."""
    for card in desk.alerting.rules():
        if card.id == alert_rule:
            wanted = isinstance(query, RuleQuery) and query.backtest
            return present.rule(card, backtests_of(desk, [card]).get(card.id) if wanted else None)
    raise NotFound("alert rule", alert_rule, "GET /v1/alert-rules lists them")


def add_alert_rule(desk: Desk, _query: Nothing, body: RuleBody, actor: Actor) -> Mapping[str, Any]:
    """Store a new alert rule; return it with what it would have done."""
    return present.rule(*desk.alerting.save_rule(body.document(), actor=actor))


def put_alert_rule(
    desk: Desk, _query: Nothing, body: RuleBody, alert_rule: str, actor: Actor
) -> Mapping[str, Any]:
    """Store a new version of an alert rule; return it with what it would have done."""
    return present.rule(*desk.alerting.save_rule(body.document(), actor=actor, id_=alert_rule))


def delete_alert_rule(desk: Desk, _query: Nothing, alert_rule: str, actor: Actor) -> Mapping[str, Any]:
    """Switch an alert rule off for good."""
    desk.alerting.delete_rule(alert_rule, actor=actor)
    return {"id": alert_rule}


def backtest_alert_rule(desk: Desk, _query: Nothing, body: RuleBody) -> Mapping[str, Any]:
    """Return when a rule would have fired in the last 180 days; nothing is stored."""
    return present.backtest(desk.alerting.backtest(body.document()))


# -------------------------------------------------------------------------------- receivers
def list_receivers(desk: Desk, _query: Nothing) -> Mapping[str, Any]:
    """List the receivers, by id."""
    return {"items": [present.receiver(card) for card in desk.alerting.receivers()], "next_cursor": None}


def get_receiver(desk: Desk, _query: Nothing, receiver: str) -> Mapping[str, Any]:
    """Return one receiver, never with a secret."""
    for card in desk.alerting.receivers():
        if card.id == receiver:
            return present.receiver(card)
    raise NotFound("receiver", receiver, "GET /v1/receivers lists them")


def add_receiver(desk: Desk, _query: Nothing, body: ReceiverBody, actor: Actor) -> Mapping[str, Any]:
    """Store a new receiver."""
    return present.receiver(desk.alerting.save_receiver(body.document(), actor=actor))


def put_receiver(
    desk: Desk, _query: Nothing, body: ReceiverBody, receiver: str, actor: Actor
) -> Mapping[str, Any]:
    """Change a receiver."""
    return present.receiver(desk.alerting.save_receiver(body.document(), actor=actor, id_=receiver))


def delete_receiver(desk: Desk, _query: Nothing, receiver: str, actor: Actor) -> Mapping[str, Any]:
    """Forget a receiver."""
    desk.alerting.delete_receiver(receiver, actor=actor)
    return {"id": receiver}


def send_receiver_test(desk: Desk, _query: Nothing, receiver: str, actor: Actor) -> Mapping[str, Any]:
    """Send one message marked TEST now; return how that went."""
    return present.transcript(desk.alerting.test_send(receiver, actor=actor))


# -------------------------------------------------------------------------------- digests
def list_digests(desk: Desk, _query: Nothing) -> Mapping[str, Any]:
    """List the digests, by id."""
    return {"items": [present.digest(one) for one in desk.alerting.digests()], "next_cursor": None}


def _digest(desk: Desk, _query: Nothing, digest: str) -> Mapping[str, Any]:
    for one in desk.alerting.digests():
        if one.id == digest:
            return present.digest(one)
    raise NotFound("digest", digest, "GET /v1/digests lists them")


def add_digest(desk: Desk, _query: Nothing, body: DigestBody, actor: Actor) -> Mapping[str, Any]:
    """Store a new digest."""
    return present.digest(desk.alerting.save_digest(body.document(), actor=actor))


def put_digest(desk: Desk, _query: Nothing, body: DigestBody, digest: str, actor: Actor) -> Mapping[str, Any]:
    """Change a digest; no period is sent twice."""
    return present.digest(desk.alerting.save_digest(body.document(), actor=actor, id_=digest))


def delete_digest(desk: Desk, _query: Nothing, digest: str, actor: Actor) -> Mapping[str, Any]:
    """Forget a digest."""
    desk.alerting.delete_digest(digest, actor=actor)
    return {"id": digest}


def preview_digest(desk: Desk, _query: Nothing, digest: str) -> Mapping[str, Any]:
    """Return a digest as it would be sent now; nothing is sent."""
    return desk.alerting.digest_preview(digest)


# -------------------------------------------------------------------------------- deliveries
def list_deliveries(desk: Desk, query: DeliveryQuery) -> Mapping[str, Any]:
    """List the deliveries, newest first."""
    where = DeliveryFilter(
        states=tuple(query.state),
        receiver_id=query.receiver,
        purpose=query.purpose,
        incident_id=query.incident,
        after=moment_place("deliveries", query.cursor),
        limit=query.limit + 1,
    )
    with desk.store.begin(write=False) as unit:
        found = unit.outbox.deliveries(where)
    page = found[: query.limit]
    last = page[-1] if len(found) > query.limit else None
    return {
        "items": [present.delivery(row) for row in page],
        "next_cursor": moment_cursor("deliveries", last.created_at, last.id) if last else None,
    }


def get_delivery(desk: Desk, _query: Nothing, delivery: str) -> Mapping[str, Any]:
    """Return one delivery with its tries and what it says."""
    with desk.store.begin(write=False) as unit:
        return present.delivery_detail(unit.outbox.delivery(delivery), unit.outbox.attempts(delivery))


def redrive_delivery(desk: Desk, _query: Nothing, delivery: str, actor: Actor) -> Mapping[str, Any]:
    """Send a dead delivery once more."""
    return _moved(desk, delivery, "redrive", actor)


def release_delivery(desk: Desk, _query: Nothing, delivery: str, actor: Actor) -> Mapping[str, Any]:
    """Let a held summary go."""
    return _moved(desk, delivery, "release", actor)


def cancel_delivery(desk: Desk, _query: Nothing, delivery: str, actor: Actor) -> Mapping[str, Any]:
    """Give a delivery up."""
    return _moved(desk, delivery, "cancel", actor)


def _moved(desk: Desk, id_: str, verb: str, actor: Actor) -> Mapping[str, Any]:
    moved = desk.alerting.move_deliveries([id_], verb, actor=actor)
    now = get_delivery(desk, Nothing(), id_)
    if not moved:
        raise Conflict(f"cannot {verb} it: the delivery is {now['state']}")
    return now


# -------------------------------------------------------------------------------- operations
def _operations(*rows: tuple[Any, ...]) -> tuple[Route, ...]:
    return tuple(Route(*row[:-1], **{"is_alerting": True, **row[-1]}) for row in rows)


def _change(scope: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of Route
    return {"method": "POST", "scope": scope, "is_change": True, **more}


_RULES, _RULE = "/v1/alert-rules", "/v1/alert-rules/<alert_rule>"
_RECEIVERS, _RECEIVER = "/v1/receivers", "/v1/receivers/<receiver>"
_DIGESTS, _DIGEST = "/v1/digests", "/v1/digests/<digest>"
_DELIVERIES, _DELIVERY = "/v1/deliveries", "/v1/deliveries/<delivery>"
_TRIED = {"method": "POST", "scope": "review", "body": RuleBody}
ROUTES = _operations(
    (_RULES, list_alert_rules, answers.Page[RuleAnswer], "Alert rules", {}),
    (_RULES, add_alert_rule, RuleAnswer, "New alert rule", _change("review", body=RuleBody, status=201)),
    (f"{_RULES}/backtest", backtest_alert_rule, BacktestAnswer, "When it would have fired", _TRIED),
    (_RULE, get_alert_rule, RuleAnswer, "One alert rule", {"query": RuleQuery}),
    (_RULE, put_alert_rule, RuleAnswer, "Change an alert rule",
     _change("review", body=RuleBody, held=get_alert_rule, method="PUT")),
    (_RULE, delete_alert_rule, Removed, "Remove an alert rule",
     _change("review", held=get_alert_rule, method="DELETE")),
    (_RECEIVERS, list_receivers, answers.Page[ReceiverAnswer], "Receivers", {"scope": "admin"}),
    (_RECEIVERS, add_receiver, ReceiverAnswer, "New receiver",
     _change("admin", body=ReceiverBody, status=201)),
    (_RECEIVER, get_receiver, ReceiverAnswer, "One receiver", {"scope": "admin"}),
    (_RECEIVER, put_receiver, ReceiverAnswer, "Change a receiver",
     _change("admin", body=ReceiverBody, held=get_receiver, method="PUT")),
    (_RECEIVER, delete_receiver, Removed, "Remove a receiver",
     _change("admin", held=get_receiver, method="DELETE")),
    (f"{_RECEIVER}/test", send_receiver_test, TranscriptAnswer, "Send a test", _change("review")),
    (_DIGESTS, list_digests, answers.Page[DigestAnswer], "Digests", {}),
    (_DIGESTS, add_digest, DigestAnswer, "New digest", _change("review", body=DigestBody, status=201)),
    (_DIGEST, put_digest, DigestAnswer, "Change a digest",
     _change("review", body=DigestBody, held=_digest, method="PUT")),
    (_DIGEST, delete_digest, Removed, "Remove a digest",
     _change("review", held=_digest, method="DELETE")),
    (f"{_DIGEST}/preview", preview_digest, DigestPreview, "A digest as it would be sent now", {}),
    (_DELIVERIES, list_deliveries, answers.Page[DeliveryAnswer], "Deliveries, newest first",
     {"query": DeliveryQuery}),
    (_DELIVERY, get_delivery, DeliveryDetail, "One delivery with its tries", {}),
    (f"{_DELIVERY}/redrive", redrive_delivery, DeliveryDetail, "Send a dead one again", _change("admin")),
    (f"{_DELIVERY}/release", release_delivery, DeliveryDetail, "Let a held summary go", _change("review")),
    (f"{_DELIVERY}/cancel", cancel_delivery, DeliveryDetail, "Give a delivery up", _change("admin")),
)  # fmt: skip
