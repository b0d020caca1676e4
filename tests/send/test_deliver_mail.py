"""Faults 1 to 11 through the whole of dispatch: what the database says, and what the relay got."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from riskwatch.collect.http import HttpClient
from riskwatch.model import DeliveryState
from riskwatch.send.message import Mail
from tests.send.deliveries import (
    HOOK_PATH,
    NOW,
    PASSWORD,
    a_delivery,
    a_mail_receiver,
    a_slack_receiver,
    an_id,
)
from tests.send.desk import Desk
from tests.send.peers import DROP, Hook, Relay, Talk, a_free_port, answer, relaying
from tests.send.test_smtp import drip, hang


def test_a_mail_is_delivered_once(desk: Desk, relay: Relay, authority: Path) -> None:
    mail = a_mail_receiver(relay.port, authority)
    desk.with_receivers(mail).owes_to(mail, 1)

    done = desk.dispatch()

    kept = desk.delivery(an_id(1))
    assert (done.delivered, kept.state, kept.attempts) == (1, DeliveryState.DELIVERED, 1)
    assert (kept.provider_ref, kept.delivered_at) == ("2.0.0 queued as 4711", NOW)
    assert desk.outcomes(an_id(1)) == ["ok"]
    assert desk.receiver("mail").last_ok_at == NOW
    assert desk.counted == {"delivery_attempts email ok": 1}
    assert desk.dispatch().delivered == 0
    assert relay.copies(an_id(1)) == 1


def test_1_a_refused_port_is_tried_again_in_a_minute_and_opens_the_breaker_after_three(
    desk: Desk, hook: Hook, client: HttpClient, authority: Path
) -> None:
    hook.says(HOOK_PATH, answer(200, b"ok"))
    mail = a_mail_receiver(a_free_port(), authority)
    slack = a_slack_receiver(hook.url + HOOK_PATH, client)
    desk.with_receivers(mail, slack).owes_to(mail, *range(1, 6))
    desk.owes_to(slack, 9)

    desk.dispatch()

    first = desk.delivery(an_id(1))
    assert first.state is DeliveryState.PENDING
    assert first.next_attempt_at == NOW + timedelta(minutes=1)
    assert desk.outcomes(an_id(1)) == ["transient"]
    assert desk.attempts(an_id(1))[0].code == "refused"
    state = desk.receiver("mail")
    assert (state.consecutive_failures, state.breaker_until) == (3, NOW + timedelta(minutes=1))
    assert [desk.delivery(an_id(n)).attempts for n in range(1, 6)] == [
        1,
        1,
        1,
        0,
        0,
    ]
    assert desk.delivery(an_id(9)).state is DeliveryState.DELIVERED

    desk.until(state.breaker_until).dispatch()  # one probe

    assert sum(desk.delivery(an_id(n)).attempts for n in range(1, 6)) == 4
    assert desk.receiver("mail").breaker_until == desk.now + timedelta(minutes=2)


def test_1_when_the_relay_is_back_everything_leaves(desk: Desk, relay: Relay, authority: Path) -> None:
    relay.says("GREETING", *[b"421 busy\r\n"] * 3)
    mail = a_mail_receiver(relay.port, authority)
    desk.with_receivers(mail).owes_to(mail, *range(1, 6))

    desk.dispatch()
    desk.later(minutes=10).dispatch()

    assert {desk.delivery(an_id(n)).state for n in range(1, 6)} == {DeliveryState.DELIVERED}
    assert all(relay.copies(an_id(n)) == 1 for n in range(1, 6))
    assert desk.receiver("mail").consecutive_failures == 0


def test_2_a_busy_greeting_is_tried_again(desk: Desk, relay: Relay, authority: Path) -> None:
    relay.says("GREETING", b"421 try later\r\n")
    mail = a_mail_receiver(relay.port, authority)
    desk.with_receivers(mail).owes_to(mail, 1)

    desk.dispatch()
    desk.later(minutes=2).dispatch()

    assert desk.outcomes(an_id(1)) == ["transient", "ok"]
    assert relay.copies(an_id(1)) == 1


def test_2_a_closed_relay_keeps_the_messages_and_is_told_over_slack(
    desk: Desk, relay: Relay, hook: Hook, client: HttpClient, authority: Path
) -> None:
    hook.says(HOOK_PATH, answer(200, b"ok"))
    relay.says("GREETING", *[b"554 no service for you\r\n"] * 9)
    mail = a_mail_receiver(relay.port, authority)
    slack = a_slack_receiver(hook.url + HOOK_PATH, client)
    desk.with_receivers(mail, slack).owes_to(mail, 1, 2, 3)

    desk.dispatch()
    desk.later(hours=1).dispatch()

    assert {desk.delivery(an_id(n)).state for n in (1, 2, 3)} == {DeliveryState.PENDING}  # 0 dead
    assert sum(desk.delivery(an_id(n)).attempts for n in (1, 2, 3)) == 2  # one each time: the breaker is open
    (told,) = hook.asked
    assert b"Receiver mail is failing" in told.body


@pytest.mark.parametrize("speak", [hang, drip])
def test_3_a_relay_that_hangs_or_drips_holds_up_nobody_else(
    desk: Desk, relay: Relay, certificate: Path, authority: Path, speak: object
) -> None:
    assert callable(speak)
    relay.says("GREETING", speak)
    with relaying(certificate) as other:
        slow = a_mail_receiver(relay.port, authority, name="slow", read_seconds=2.0, total_seconds=2.0)
        quick = a_mail_receiver(other.port, authority, name="quick")
        desk.with_receivers(slow, quick).owes_to(slow, 1)
        desk.owes_to(quick, *range(2, 8))
        taken_while_hanging: list[int] = []

        def look(talk: Talk) -> bytes:
            taken_while_hanging.append(len(desk.attempts(an_id(1))))
            return talk.keep(b"250 yes\r\n")

        other.says("CONTENT", *[look] * 6)
        started = time.monotonic()
        desk.dispatch(limit=2)

    assert time.monotonic() - started < 40  # far under: it let go
    assert desk.outcomes(an_id(1)) == ["transient"]
    assert taken_while_hanging == [0] * 6
    assert {desk.delivery(an_id(n)).state for n in range(2, 8)} == {DeliveryState.DELIVERED}


def test_4_of_three_recipients_only_the_bad_one_is_dead(desk: Desk, relay: Relay, authority: Path) -> None:
    def only_good(talk: Talk) -> bytes:
        return b"550 no such user\r\n" if talk.to.startswith("bad") else b"250 yes\r\n"

    relay.says("RCPT", *[only_good] * 9)
    mail = a_mail_receiver(relay.port, authority)
    people = ("one@example.com", "bad@example.com", "two@example.com")
    desk.with_receivers(mail).owes(*(a_delivery(n, recipient=to) for n, to in enumerate(people, 1)))

    desk.dispatch()
    desk.later(hours=2).dispatch()

    assert [desk.delivery(an_id(n)).state for n in (1, 2, 3)] == ["delivered", "dead", "delivered"]
    assert [to for to, _ in relay.mails] == ["one@example.com", "two@example.com"]
    assert desk.receiver("mail").consecutive_failures == 0


def test_4_greylisting_of_some_opens_no_breaker_for_all(desk: Desk, relay: Relay, authority: Path) -> None:
    relay.says("RCPT", *[b"451 greylisted\r\n"] * 4)
    mail = a_mail_receiver(relay.port, authority)
    desk.with_receivers(mail).owes_to(mail, *range(1, 7))

    desk.dispatch()

    assert [desk.delivery(an_id(n)).state for n in range(1, 7)] == ["pending"] * 4 + ["delivered"] * 2
    desk.later(minutes=2).dispatch()
    assert {desk.delivery(an_id(n)).state for n in range(1, 7)} == {DeliveryState.DELIVERED}
    assert all(relay.copies(an_id(n)) == 1 for n in range(1, 7))


def test_5_a_loss_inside_the_message_leaves_one_copy(desk: Desk, relay: Relay, authority: Path) -> None:
    relay.says("MIDDLE", DROP)
    text = ("x" * 70 + "\n") * 150_000  # more than both sockets hold: the loss comes inside
    mail = a_mail_receiver(relay.port, authority, render=lambda _: Mail("large", text, "<p>"))
    desk.with_receivers(mail).owes_to(mail, 1)

    desk.dispatch()
    desk.later(minutes=2).dispatch()

    assert desk.outcomes(an_id(1)) == ["transient", "ok"]
    assert relay.copies(an_id(1)) == 1


def test_6_a_loss_after_the_dot_is_unclear_and_repeated_with_the_same_id(
    desk: Desk, relay: Relay, authority: Path
) -> None:
    relay.says("CONTENT", lambda talk: talk.keep(DROP))
    mail = a_mail_receiver(relay.port, authority)
    desk.with_receivers(mail).owes_to(mail, 1)

    desk.dispatch()
    assert desk.delivery(an_id(1)).last_outcome == "ambiguous"
    desk.later(minutes=2).dispatch()

    assert desk.outcomes(an_id(1)) == ["ambiguous", "ok"]
    assert relay.copies(an_id(1)) == 2
    assert relay.mails[0] == relay.mails[1]


def test_7_a_421_after_the_dot_leaves_one_copy(desk: Desk, relay: Relay, authority: Path) -> None:
    relay.says("CONTENT", b"421 shutting down\r\n")
    mail = a_mail_receiver(relay.port, authority)
    desk.with_receivers(mail).owes_to(mail, 1)

    desk.dispatch()
    desk.later(minutes=2).dispatch()

    assert desk.outcomes(an_id(1)) == ["transient", "ok"]
    assert relay.copies(an_id(1)) == 1


def test_8_a_message_that_is_too_large_is_dead_and_visible(desk: Desk, relay: Relay, authority: Path) -> None:
    relay.says("CONTENT", b"552 too large\r\n")
    mail = a_mail_receiver(relay.port, authority)
    desk.with_receivers(mail).owes_to(mail, 1)

    assert desk.dispatch().dead == 1

    (attempt,) = desk.attempts(an_id(1))
    assert (attempt.outcome, attempt.code) == ("permanent", "552")
    assert "too large" in attempt.detail
    desk.later(days=1).dispatch()
    assert desk.delivery(an_id(1)).state is DeliveryState.DEAD
    assert relay.mails == []


def test_9_a_loss_at_quit_is_a_delivery(desk: Desk, relay: Relay, authority: Path) -> None:
    relay.says("QUIT", DROP)
    mail = a_mail_receiver(relay.port, authority)
    desk.with_receivers(mail).owes_to(mail, 1)

    desk.dispatch()
    desk.later(hours=1).dispatch()

    assert desk.outcomes(an_id(1)) == ["ok"]
    assert relay.copies(an_id(1)) == 1


def test_10_without_starttls_everything_waits(desk: Desk, authority: Path) -> None:
    with relaying(None) as relay:
        mail = a_mail_receiver(relay.port, authority, user="u", password=PASSWORD)
        desk.with_receivers(mail).owes_to(mail, 1, 2)
        desk.dispatch()

    assert relay.connections == 1
    assert {line.split()[0] for line in relay.heard} == {"ehlo", "quit"}
    assert {desk.delivery(an_id(n)).state for n in (1, 2)} == {DeliveryState.PENDING}
    assert desk.attempts(an_id(1))[0].code == "no_starttls"
    assert desk.receiver("mail").breaker_until is not None


def test_11_a_wrong_password_is_tried_once_in_a_quarter_of_an_hour(
    desk: Desk, relay: Relay, authority: Path
) -> None:
    relay.says("AUTH", *[b"535 5.7.8 wrong\r\n"] * 9)
    mail = a_mail_receiver(relay.port, authority, user="u", password=PASSWORD)
    desk.with_receivers(mail).owes_to(mail, *range(1, 6))

    for _ in range(10):
        desk.dispatch()
        desk.later(minutes=1)

    assert sum(line.upper().startswith("AUTH") for line in relay.heard) == 1
    assert {desk.delivery(an_id(n)).state for n in range(1, 6)} == {DeliveryState.PENDING}
    assert desk.receiver("mail").breaker_until == NOW + timedelta(minutes=15)
