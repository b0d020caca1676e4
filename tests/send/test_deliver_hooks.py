"""Faults 12 to 20, 27 and 38 through the whole of dispatch: what the database says, and what the peer got."""

from __future__ import annotations

import json
import socket
from datetime import timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from riskwatch.collect.guard import Guard
from riskwatch.collect.http import HttpClient, Limits
from riskwatch.model import Delivery, DeliveryState, Purpose, ReceiverState, Severity, Step
from riskwatch.send.failing import catch_up
from riskwatch.send.message import Alert, AlertMessage, OverflowMessage
from riskwatch.send.receiver import Receiver, Sent
from tests.send.deliveries import (
    HOOK_PATH,
    NOW,
    SIGNING,
    a_delivery,
    a_mail_receiver,
    a_slack_receiver,
    a_webhook_receiver,
    an_id,
)
from tests.send.desk import Desk
from tests.send.peers import Hook, Relay, answer

PATH, OTHER = "/hooks/grc", "/hooks/other"


def webhook(hook: Hook, client: HttpClient, desk: Desk, path: str = PATH, name: str = "grc") -> Receiver:
    made = a_webhook_receiver(hook.url + path, client, name=name, now=lambda: desk.now)
    desk.with_receivers(made)
    return made


def slack(hook: Hook, client: HttpClient, desk: Desk, name: str = "slack") -> Receiver:
    made = a_slack_receiver(hook.url + HOOK_PATH, client, name=name, now=lambda: desk.now)
    made.pace_seconds = 0.0
    desk.with_receivers(made)
    return made


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        (format_datetime(NOW + timedelta(seconds=30), usegmt=True), 30),
        (None, 5),  # the schedule
        ("1000000000", 900),
        ("-1", 5),
        ("junk", 5),
    ],
)
def test_12_a_receiver_that_asks_for_patience_is_left_alone_and_others_go_on(
    desk: Desk, hook: Hook, client: HttpClient, header: str | None, seconds: int
) -> None:
    hook.says(PATH, answer(429, Retry_After=header) if header else answer(429), answer(204))
    hook.says(OTHER, answer(204))
    desk.owes_to(webhook(hook, client, desk), 1, 2, 3)
    desk.owes_to(webhook(hook, client, desk, OTHER, "other"), 7, 8)

    desk.dispatch()

    assert len(hook.asked_at(PATH)) == 1  # the two others were not tried either
    assert len(hook.asked_at(OTHER)) == 2
    assert [desk.delivery(an_id(n)).attempts for n in (1, 2, 3)] == [1, 0, 0]
    assert desk.receiver("grc").not_before == NOW + timedelta(seconds=seconds)
    desk.later(seconds=seconds - 1).dispatch()
    assert len(hook.asked_at(PATH)) == 1
    desk.later(seconds=2).dispatch()
    assert len(hook.asked_at(PATH)) >= 3
    desk.later(minutes=30).dispatch()
    assert {desk.delivery(an_id(n)).state for n in (1, 2, 3)} == {DeliveryState.DELIVERED}


def test_13_three_times_500_then_200_is_one_delivery_on_schedule(
    desk: Desk, hook: Hook, client: HttpClient
) -> None:
    hook.says(PATH, answer(500), answer(502), answer(503), answer(200))
    desk.owes_to(webhook(hook, client, desk), 1)

    waits = []
    while desk.delivery(an_id(1)).state is DeliveryState.PENDING:
        waits.append((desk.delivery(an_id(1)).next_attempt_at or NOW) - desk.now)
        desk.until(desk.delivery(an_id(1)).next_attempt_at).dispatch()

    assert [wait.total_seconds() for wait in waits] == [0, 5, 300, 1_800]
    assert desk.outcomes(an_id(1)) == ["transient"] * 3 + ["ok"]
    assert len(hook.asked) == 4


def short() -> HttpClient:
    limits = Limits(connect_seconds=0.4, read_seconds=0.4, total_seconds=0.8)
    return HttpClient(user_agent="x", guard=Guard(["127.0.0.0/8"]), limits=limits, host_pause_seconds=0)


def test_14_an_unclear_webhook_is_repeated_with_the_same_id(desk: Desk, hook: Hook) -> None:
    hook.says(PATH, lambda _: None, answer(204))
    client = short()
    desk.owes_to(webhook(hook, client, desk), 1)

    desk.dispatch()
    desk.later(seconds=6).dispatch()

    assert desk.outcomes(an_id(1)) == ["ambiguous", "ok"]
    assert {one.headers["webhook-id"] for one in hook.asked} == {an_id(1)}
    client.close()


@pytest.mark.parametrize("hangs", [False, True])
def test_14_an_unclear_slack_message_is_repeated_once_only(desk: Desk, hook: Hook, hangs: bool) -> None:
    def silence(_connection: socket.socket) -> None:
        if hangs:
            hook.over.wait(5)

    hook.says(HOOK_PATH, silence)
    client = short()
    desk.owes_to(slack(hook, client, desk), 1)

    for _ in range(6):
        desk.dispatch()
        desk.later(minutes=5)

    assert desk.outcomes(an_id(1)) == ["ambiguous", "ambiguous"]
    assert desk.delivery(an_id(1)).state is DeliveryState.DEAD
    assert len(hook.asked) == 2
    client.close()


@pytest.mark.parametrize("word", ["invalid_payload", "invalid_blocks", "no_text", "msg_blocks_too_long"])
def test_15_a_refused_layout_is_sent_once_more_as_plain_text(
    desk: Desk, hook: Hook, client: HttpClient, word: str
) -> None:
    hook.says(HOOK_PATH, answer(400, word.encode()), answer(200, b"ok"))
    desk.owes_to(slack(hook, client, desk), 1)

    desk.dispatch()

    rich, plain = hook.asked
    assert "blocks" in json.loads(rich.body)
    assert "blocks" not in json.loads(plain.body)
    assert desk.delivery(an_id(1)).state is DeliveryState.DELIVERED
    assert desk.delivery(an_id(1)).is_plain


def test_15_a_layout_refused_as_plain_text_too_is_dead_and_told(
    desk: Desk, hook: Hook, client: HttpClient
) -> None:
    hook.says(HOOK_PATH, answer(400, b"no_text"))
    desk.owes_to(slack(hook, client, desk), 1)

    desk.dispatch()

    assert desk.outcomes(an_id(1)) == ["permanent", "permanent"]
    assert desk.delivery(an_id(1)).state is DeliveryState.DEAD
    assert desk.log.of("delivery_tried")[-1]["code"] == "no_text"
    assert desk.receiver("slack").disabled_reason is None


@pytest.fixture
def mailing(desk: Desk, relay: Relay, authority: Path) -> Relay:
    """A relay behind a receiver that works."""
    desk.with_receivers(a_mail_receiver(relay.port, authority))
    return relay


@pytest.mark.parametrize(
    ("status", "word"),
    [(400, "invalid_token"), (403, "action_prohibited"), (404, "no_service"), (410, "channel_is_archived")],
)
def test_15_a_dead_hook_is_switched_off_and_told_by_mail(
    desk: Desk, hook: Hook, client: HttpClient, mailing: Relay, status: int, word: str
) -> None:
    hook.says(HOOK_PATH, answer(status, word.encode()))
    desk.owes_to(slack(hook, client, desk), 1, 2)

    desk.dispatch()
    desk.later(hours=5).dispatch()

    assert desk.receiver("slack").disabled_reason is not None
    assert len(hook.asked) == 1
    assert {desk.delivery(an_id(n)).state for n in (1, 2)} == {DeliveryState.PENDING}  # until their deadline
    (told,) = mailing.mails
    assert b"Receiver slack was switched off" in told[1]


def test_15_a_webhook_that_is_gone_is_switched_off_at_once(
    desk: Desk, hook: Hook, client: HttpClient
) -> None:
    hook.says(PATH, answer(410))
    desk.owes_to(webhook(hook, client, desk), 1, 2)

    desk.dispatch()
    desk.later(days=1).dispatch()

    assert len(hook.asked) == 1
    assert desk.receiver("grc").disabled_reason is not None


@pytest.mark.parametrize("status", [401, 403, 404, 301, 308])
def test_17_a_webhook_that_is_closed_to_us_is_switched_off_after_a_day(
    desk: Desk, hook: Hook, client: HttpClient, status: int
) -> None:
    hook.says(PATH, answer(status, Location=hook.url + OTHER))
    desk.owes_to(webhook(hook, client, desk), *range(1, 9), deadline_at=NOW + timedelta(days=9))

    desk.dispatch()
    desk.later(hours=23).dispatch()
    assert desk.receiver("grc").disabled_reason is None
    desk.later(hours=2).dispatch()

    assert desk.receiver("grc").disabled_reason is not None
    assert len(hook.asked) == 3
    assert hook.asked_at(OTHER) == []


def test_a_receiver_that_fails_for_five_days_is_switched_off(
    desk: Desk, hook: Hook, client: HttpClient
) -> None:
    hook.says(PATH, answer(503))
    desk.owes_to(webhook(hook, client, desk), *range(1, 30), deadline_at=NOW + timedelta(days=9))

    for _ in range(4):
        desk.dispatch()
        desk.later(hours=26)
    assert desk.receiver("grc").disabled_reason is None
    desk.later(hours=26).dispatch()

    assert desk.receiver("grc").disabled_reason is not None


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_message_that_a_webhook_refuses_three_times_is_dead(
    desk: Desk, hook: Hook, client: HttpClient, status: int
) -> None:
    hook.says(PATH, answer(status))
    desk.owes_to(webhook(hook, client, desk), 1)

    for _ in range(5):
        desk.dispatch()
        desk.later(hours=1)

    assert desk.outcomes(an_id(1)) == ["permanent"] * 3
    assert desk.delivery(an_id(1)).state is DeliveryState.DEAD


def test_16_a_strange_success_is_kept_with_what_was_said(desk: Desk, hook: Hook, client: HttpClient) -> None:
    hook.says(HOOK_PATH, answer(200, b"thanks\r\nbut no thanks"))
    desk.owes_to(slack(hook, client, desk), 1)

    desk.dispatch()

    (attempt,) = desk.attempts(an_id(1))
    assert (attempt.outcome, attempt.code, attempt.detail) == ("ok", "200", "thanks\\r\\nbut no thanks")
    assert desk.log.of("delivery_tried")[0]["detail"] == "thanks\\r\\nbut no thanks"


def test_19_what_is_stored_of_an_answer_is_one_escaped_line(
    desk: Desk, hook: Hook, client: HttpClient
) -> None:
    hook.says(PATH, answer(500, b"\x1b[2J\r\nevil: 1" + b"x" * 9_000))
    desk.owes_to(webhook(hook, client, desk), 1)

    desk.dispatch()

    (attempt,) = desk.attempts(an_id(1))
    assert len(attempt.detail.encode()) <= 512
    assert attempt.detail.startswith("status 500: \\x1b[2J\\r\\nevil: 1")


def test_20_over_retries_the_id_stays_and_every_signature_verifies(
    desk: Desk, hook: Hook, client: HttpClient
) -> None:
    hook.says(PATH, answer(500), answer(500), answer(204))
    desk.owes_to(webhook(hook, client, desk), 1)

    for _ in range(3):
        desk.dispatch()
        desk.until(desk.delivery(an_id(1)).next_attempt_at or desk.now)

    stamps = [int(one.headers["webhook-timestamp"]) for one in hook.asked]
    assert [b - a for a, b in pairwise(stamps)] == [5, 300]
    assert {one.headers["webhook-id"] for one in hook.asked} == {an_id(1)}
    signer = Webhook(SIGNING)
    for one, stamp in zip(hook.asked, stamps, strict=True):
        at = NOW + timedelta(seconds=stamp - NOW.timestamp())
        assert one.headers["webhook-signature"] == signer.sign(an_id(1), at, one.body.decode())


# -------------------------------------------------------------------------------- leases and order
def test_27_a_send_that_outlasts_its_lease_settles_nothing(
    desk: Desk, hook: Hook, client: HttpClient
) -> None:
    def slowly(connection: socket.socket) -> None:
        desk.later(seconds=400)  # the lease ends while the peer thinks
        with desk.store.begin() as unit:
            assert unit.outbox.reap(now=desk.now) == 1
        connection.sendall(answer(204))

    hook.says(PATH, slowly, answer(204))
    desk.owes_to(webhook(hook, client, desk), 1)

    done = desk.dispatch()  # goes on with the row that was given back

    assert (done.late, done.delivered) == (1, 1)
    assert desk.outcomes(an_id(1)) == ["ambiguous", "ok"]
    assert [one.headers["webhook-id"] for one in hook.asked] == [an_id(1)] * 2


def test_27_rows_behind_a_slow_one_are_given_back_before_their_lease_ends(
    desk: Desk, hook: Hook, client: HttpClient
) -> None:
    def slowly(connection: socket.socket) -> None:
        desk.later(seconds=170)
        connection.sendall(answer(204))

    hook.says(PATH, slowly, answer(204))
    desk.owes_to(webhook(hook, client, desk), 1, 2, 3)

    done = desk.dispatch()

    assert (done.delivered, done.given_back, done.late) == (3, 2, 0)
    assert [desk.delivery(an_id(n)).attempts for n in (1, 2, 3)] == [1, 1, 1]
    assert len(hook.asked) == 3


def test_within_an_incident_nothing_overtakes(desk: Desk, hook: Hook, client: HttpClient) -> None:
    hook.says(PATH, answer(500), answer(204))
    desk.owes_to(webhook(hook, client, desk), 1, 2, ordering_key="grc:INC1")

    desk.dispatch()
    assert len(hook.asked) == 1
    desk.later(seconds=6).dispatch()

    assert [one.headers["webhook-id"] for one in hook.asked] == [an_id(1), an_id(1), an_id(2)]


def test_a_stop_finishes_the_send_under_way_and_gives_the_rest_back(
    desk: Desk, hook: Hook, client: HttpClient
) -> None:
    def stop(connection: socket.socket) -> None:
        desk.stop.set()
        connection.sendall(answer(204))

    hook.says(PATH, stop)
    desk.owes_to(webhook(hook, client, desk), 1, 2, 3)

    done = desk.dispatch()

    assert (done.delivered, done.given_back) == (1, 2)
    assert [desk.delivery(an_id(n)).state for n in (2, 3)] == [DeliveryState.PENDING] * 2
    assert [desk.delivery(an_id(n)).attempts for n in (2, 3)] == [0, 0]


def test_a_slack_hook_gets_one_message_a_second(desk: Desk, hook: Hook, client: HttpClient) -> None:
    hook.says(HOOK_PATH, answer(200, b"ok"))
    made = a_slack_receiver(hook.url + HOOK_PATH, client, now=lambda: desk.now)
    made.pace_seconds = 0.1
    waited: list[float] = []

    class Waiting:
        def is_set(self) -> bool:
            return False

        def wait(self, seconds: float) -> bool:
            waited.append(seconds)
            desk.later(seconds=seconds)
            return False

    desk.stop = Waiting()  # type: ignore[assignment] # the two methods that are used
    desk.with_receivers(made).owes_to(made, 1, 2, 3)

    desk.dispatch()

    assert waited == pytest.approx([0.1, 0.1, 0.1])  # the last one finds nothing
    assert len(hook.asked) == 3


def test_a_row_of_a_receiver_that_is_no_more_waits_without_a_try(desk: Desk) -> None:
    desk.owes(a_delivery(1, receiver_id="gone", kind="slack"))

    assert desk.dispatch().given_back == 1

    kept = desk.delivery(an_id(1))
    assert (kept.state, kept.attempts) == (DeliveryState.PENDING, 0)
    assert kept.next_attempt_at == NOW + timedelta(minutes=5)


class Broken:
    id, kind, recipients, pace_seconds, limit_seconds = "mail", "email", ("a@example.com",), 0.0, 1.0

    def send(self, delivery: Delivery) -> Sent:
        raise KeyError(str(delivery.payload))


def test_a_fault_of_ours_is_dead_after_three_tries_and_stops_nobody(desk: Desk) -> None:
    desk.with_receivers(Broken()).owes_to(Broken(), 1)

    for _ in range(5):
        desk.dispatch()
        desk.later(hours=1)

    assert desk.outcomes(an_id(1)) == ["permanent"] * 3
    assert desk.attempts(an_id(1))[0].code == "internal"
    assert "finding" not in desk.attempts(an_id(1))[0].detail
    assert desk.receiver("mail") == ReceiverState("mail")


def test_a_test_send_has_one_try(desk: Desk, hook: Hook, client: HttpClient) -> None:
    hook.says(PATH, answer(500))
    desk.owes_to(webhook(hook, client, desk), 1, purpose=Purpose.TEST)

    desk.dispatch()

    assert desk.delivery(an_id(1)).state is DeliveryState.DEAD


# -------------------------------------------------------------------------------- outages
def test_38_no_failure_of_slack_is_told_over_slack_and_no_loop_comes_of_a_thousand(
    desk: Desk, hook: Hook, client: HttpClient
) -> None:
    hook.says(HOOK_PATH, answer(404, b"no_service"))
    hook.says(PATH, answer(503))
    broken, spare = slack(hook, client, desk), slack(hook, client, desk, "slack-2")
    desk.owes_to(broken, *range(1, 501))
    desk.owes_to(spare, *range(501, 1_001))

    for _ in range(40):
        desk.dispatch(limit=200)
        desk.later(hours=1)

    assert [row for row in desk.waiting() if row.purpose is Purpose.SYSTEM] == []
    assert len(hook.asked) == 2  # each hook was asked once, then left alone


def test_38_a_failure_is_told_at_most_once_in_six_hours_and_never_of_system_messages(
    desk: Desk, hook: Hook, client: HttpClient, relay: Relay, authority: Path
) -> None:
    hook.says(PATH, answer(403))
    relay.says("GREETING", *[b"554 closed\r\n"] * 99)
    desk.with_receivers(a_mail_receiver(relay.port, authority))
    desk.owes_to(webhook(hook, client, desk), *range(1, 60), deadline_at=NOW + timedelta(days=9))

    for _ in range(22):
        desk.dispatch()
        desk.later(hours=1)

    about = [row for row in desk.waiting() if row.purpose is Purpose.SYSTEM]
    told = [row for row in about if row.receiver_id == "mail"]
    assert 1 <= len(told) <= 4
    assert {row.receiver_id for row in about} == {"mail"}  # that the mail fails too is told nowhere


def an_alert(number: int, **more: object) -> dict[str, object]:
    made = Alert.model_validate(
        {
            "incident_id": f"INC{number}",
            "transition_id": f"TR{number:04}",
            "step": Step.OPENED,
            "severity": Severity.WARNING,
            "rule_id": "grade-down",
            "rule_name": "Grade fell",
            "rule_kind": "grade_change",
            "subject": f"vendor{number % 7}/line",
            "subject_name": "Vendor",
            "headline": "finding",
            "as_of": NOW,
        }
        | more
    )
    return AlertMessage(alerts=(made,)).model_dump(mode="json")


@pytest.mark.parametrize("backlog", [5, 60])
def test_after_half_an_hour_of_failure_the_backlog_becomes_one_message(
    desk: Desk, hook: Hook, client: HttpClient, backlog: int
) -> None:
    hook.says(HOOK_PATH, answer(503), answer(503), answer(503), answer(200, b"ok"))
    receiver = slack(hook, client, desk)
    numbers = range(1, backlog + 1)
    desk.owes(
        *(
            a_delivery(
                n,
                receiver_id="slack",
                kind="slack",
                payload=an_alert(n, severity=Severity.CRITICAL if n == 4 else Severity.WARNING),
                incident_ids=(f"INC{n}",),
            )
            for n in numbers
        )
    )
    desk.dispatch()
    assert len(hook.asked) == 3

    desk.later(minutes=40).dispatch()

    assert len(hook.asked) == 5  # the probe, and one for all the others
    states = [desk.delivery(an_id(n)).state for n in numbers]
    assert states.count(DeliveryState.COLLAPSED) == backlog - 1
    assert states.count(DeliveryState.DELIVERED) == 1
    assert desk.waiting() == []
    assert receiver.id == "slack"


def test_a_catch_up_holds_every_alert_or_counts_them() -> None:
    def rows(count: int) -> list[Delivery]:
        return [
            a_delivery(n, kind="slack", payload=an_alert(n), incident_ids=(f"INC{n}",)) for n in range(count)
        ]

    few = AlertMessage.model_validate(dict(catch_up(rows(20), now=NOW, new_id="ID").payload))
    many = catch_up(rows(33), now=NOW, new_id="ID")
    summary = OverflowMessage.model_validate(dict(many.payload))
    again = OverflowMessage.model_validate(dict(catch_up([many, *rows(2)], now=NOW, new_id="ID").payload))

    assert len(few.alerts) == 20
    assert (summary.total, summary.vendors, len(summary.gravest)) == (33, 7, 10)
    assert (summary.by_step, summary.by_severity) == ({"opened": 33}, {"warning": 33})
    assert again.total == 35
    assert len(many.incident_ids) == 33


def test_a_webhook_keeps_every_message_of_its_backlog(desk: Desk, hook: Hook, client: HttpClient) -> None:
    hook.says(PATH, answer(503), answer(503), answer(503), answer(204))
    desk.owes_to(webhook(hook, client, desk), *range(1, 7))

    desk.dispatch()
    desk.later(hours=3).dispatch()

    assert {desk.delivery(an_id(n)).state for n in range(1, 7)} == {DeliveryState.DELIVERED}
