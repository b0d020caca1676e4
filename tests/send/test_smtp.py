"""One try over SMTP against a relay that fails in every way: what is told, and what the relay got."""

from __future__ import annotations

import email
import email.policy
import logging
import ssl
from collections.abc import Callable
from dataclasses import replace
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from riskwatch.errors import DeliveryError
from riskwatch.model import Delivery
from riskwatch.send.message import Mail
from riskwatch.send.receivers.smtp import EmailReceiver, built
from tests.collect.test_tls import a_certificate, an_authority
from tests.send.deliveries import PASSWORD, a_delivery, a_mail, a_mail_receiver, a_server, an_id
from tests.send.peers import DROP, Relay, Talk, a_free_port, relaying

HOSTILE = {
    "CRLF": "a\r\nBcc: evil@example.com",
    "LF": "a\nBcc: evil@example.com",
    "CR": "a\rBcc: evil@example.com",
    "NEL": "a\x85Bcc: evil@example.com",
    "LS": "a\u2028Bcc: evil@example.com",
    "VT": "a\x0bBcc: evil@example.com",
    "NUL": "a\0Bcc: evil@example.com",
    "surrogate": "a\udc80Bcc: evil@example.com",
    "comma": "a, evil@example.com",
}


@pytest.fixture
def receiver(relay: Relay, authority: Path) -> EmailReceiver:
    return a_mail_receiver(relay.port, authority, read_seconds=1.0)


def refused(receiver: EmailReceiver, delivery: Delivery | None = None) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        receiver.send(delivery or a_delivery())
    return caught.value


def read(relay: Relay) -> EmailMessage:
    _, content = relay.mails[-1]
    made = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(made, EmailMessage)
    return made


def test_a_mail_carries_what_threads_and_filters_need(relay: Relay, receiver: EmailReceiver) -> None:
    sent = receiver.send(a_delivery())

    mail = read(relay)
    assert (sent.code, sent.provider_ref) == ("250", "2.0.0 queued as 4711")
    assert relay.mails[0][0] == "buyer@example.com"
    assert mail["From"] == "Riskwatch <riskwatch@corp.example>"
    assert mail["Message-ID"] == f"<{an_id(1)}@corp.example>"
    assert mail["References"] == "<01JNINCIDENT@corp.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Riskwatch-Delivery"] == an_id(1)
    assert mail["Date"] == "Tue, 03 Mar 2026 09:12:00 +0000"
    assert mail["List-Unsubscribe"] is None
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


def test_a_digest_can_be_left_by_one_click(relay: Relay, authority: Path) -> None:
    def render(delivery: Delivery) -> Mail:
        return replace(a_mail(delivery), unsubscribe="https://riskwatch.example.com/unsubscribe/token")

    a_mail_receiver(relay.port, authority, render=render).send(a_delivery())

    mail = read(relay)
    assert mail["List-Unsubscribe"] == "<https://riskwatch.example.com/unsubscribe/token>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_repeat_is_the_identical_message(relay: Relay, receiver: EmailReceiver) -> None:
    receiver.send(a_delivery())
    receiver.send(a_delivery())

    assert relay.mails[0] == relay.mails[1]


def test_a_relay_that_speaks_tls_from_the_start_is_served(certificate: Path, authority: Path) -> None:
    with relaying(certificate, is_tls_from_start=True) as relay:
        a_mail_receiver(relay.port, authority, security="tls").send(a_delivery())

    assert len(relay.mails) == 1


def test_1_a_refused_connection_may_be_tried_again(authority: Path) -> None:
    error = refused(a_mail_receiver(a_free_port(), authority))

    assert (error.outcome, error.scope, error.code) == ("transient", "receiver", "refused")


@pytest.mark.parametrize(("code", "outcome"), [(421, "transient"), (554, "permanent")])
def test_2_the_greeting_tells_busy_from_closed(
    relay: Relay, receiver: EmailReceiver, code: int, outcome: str
) -> None:
    relay.says("GREETING", b"%d not now\r\n" % code)

    error = refused(receiver)

    assert (error.outcome, error.scope, error.code) == (outcome, "receiver", str(code))
    assert "not now" in error.reason


def hang(talk: Talk) -> bytes:
    talk.relay.over.wait(20)
    return DROP


def drip(talk: Talk) -> bytes:
    while not talk.relay.over.wait(0.1):
        talk.connection.sendall(b"2")
    return DROP


@pytest.mark.parametrize(("speak", "code"), [(hang, "disconnected"), (drip, "timeout")])
def test_3_a_relay_that_hangs_or_drips_lets_go_in_time(
    relay: Relay, authority: Path, speak: Callable[[Talk], bytes], code: str
) -> None:
    relay.says("GREETING", speak)

    error = refused(a_mail_receiver(relay.port, authority, read_seconds=0.5, total_seconds=1.0))

    assert (error.outcome, error.scope, error.code) == ("transient", "receiver", code)


def test_3_a_relay_that_drips_inside_tls_lets_go_in_time(certificate: Path, authority: Path) -> None:
    with relaying(certificate, is_tls_from_start=True) as relay:
        relay.says("EHLO", drip)
        error = refused(
            a_mail_receiver(relay.port, authority, security="tls", read_seconds=0.5, total_seconds=1.0)
        )

    assert (error.outcome, error.code) == ("transient", "timeout")


@pytest.mark.parametrize(("code", "outcome"), [(550, "permanent"), (451, "transient")])
def test_4_a_recipient_that_is_refused_is_this_message_s_fault(
    relay: Relay, receiver: EmailReceiver, code: int, outcome: str
) -> None:
    relay.says("RCPT", b"%d no such user\r\n" % code)

    error = refused(receiver)

    assert (error.outcome, error.scope, error.code) == (outcome, "message", str(code))
    assert relay.mails == []


def test_5_a_loss_inside_the_message_is_no_delivery(relay: Relay, authority: Path) -> None:
    def large(_delivery: Delivery) -> Mail:
        text = ("x" * 70 + "\n") * 200_000  # more than both sockets hold: the loss comes inside
        return Mail("large", text, "<p>")

    relay.says("MIDDLE", DROP)

    error = refused(a_mail_receiver(relay.port, authority, render=large))

    assert (error.outcome, error.scope, error.code) == ("transient", "receiver", "disconnected")


def test_6_a_loss_after_the_dot_is_unclear(relay: Relay, receiver: EmailReceiver) -> None:
    relay.says("CONTENT", lambda talk: talk.keep(DROP))

    error = refused(receiver)

    assert (error.outcome, error.code) == ("ambiguous", "disconnected")
    receiver.send(a_delivery())
    assert relay.copies(an_id(1)) == 2


def test_6_silence_after_the_dot_is_unclear(relay: Relay, authority: Path) -> None:
    relay.says("CONTENT", lambda talk: talk.keep(hang(talk)))

    error = refused(a_mail_receiver(relay.port, authority, read_seconds=0.3))

    assert error.outcome == "ambiguous"


def test_7_a_421_after_the_dot_is_no_delivery(relay: Relay, receiver: EmailReceiver) -> None:
    relay.says("CONTENT", b"421 shutting down\r\n")

    error = refused(receiver)

    assert (error.outcome, error.scope, error.code) == ("transient", "receiver", "421")


def test_8_a_message_that_is_too_large_is_dead(relay: Relay, receiver: EmailReceiver) -> None:
    relay.says("CONTENT", b"552 too large\r\n")

    error = refused(receiver)

    assert (error.outcome, error.scope, error.code) == ("permanent", "message", "552")


def test_9_a_loss_at_quit_is_success(relay: Relay, receiver: EmailReceiver) -> None:
    relay.says("QUIT", DROP)

    assert receiver.send(a_delivery()).code == "250"
    assert relay.copies(an_id(1)) == 1


def test_10_without_starttls_nothing_is_said_in_clear(authority: Path) -> None:
    with relaying(None) as relay:
        error = refused(a_mail_receiver(relay.port, authority, user="u", password=PASSWORD))

    assert (error.outcome, error.scope, error.code) == ("permanent", "receiver", "no_starttls")
    assert [line.split()[0] for line in relay.heard] == ["ehlo", "QUIT".lower()]
    assert relay.mails == []


def test_10_a_certificate_that_does_not_convince_ends_it(relay: Relay, tmp_path: Path) -> None:
    other = an_authority(tmp_path, "other")

    error = refused(a_mail_receiver(relay.port, other, user="u", password=PASSWORD))

    assert (error.outcome, error.scope, error.code) == ("permanent", "receiver", "certificate")
    assert not any(line.lower().startswith(("auth", "mail")) for line in relay.heard)


def test_10_a_certificate_for_another_name_ends_it(authority: Path) -> None:
    misnamed = a_certificate(authority, "misnamed-relay", subject="subjectAltName=DNS:other.example")
    with relaying(misnamed) as relay:
        error = refused(a_mail_receiver(relay.port, authority))

    assert error.code == "certificate"


def test_11_a_wrong_password_is_tried_once(relay: Relay, authority: Path) -> None:
    relay.says("AUTH", b"535 5.7.8 wrong\r\n", b"535 5.7.8 wrong\r\n")

    error = refused(a_mail_receiver(relay.port, authority, user="u", password=PASSWORD))

    assert (error.outcome, error.scope, error.code) == ("permanent", "receiver", "535")
    assert sum(line.upper().startswith("AUTH") for line in relay.heard) == 1


@pytest.mark.parametrize("offered", ["PLAIN", "LOGIN"])
def test_a_log_in_works_by_either_way(relay: Relay, authority: Path, offered: str) -> None:
    relay.auth = offered

    a_mail_receiver(relay.port, authority, user="u", password=PASSWORD).send(a_delivery())

    assert [line.split()[1] for line in relay.heard if line.upper().startswith("AUTH")] == [offered]
    assert len(relay.mails) == 1


def test_a_relay_without_a_usable_log_in_is_the_receiver_s_fault(relay: Relay, authority: Path) -> None:
    relay.auth = "GSSAPI"

    error = refused(a_mail_receiver(relay.port, authority, user="u", password=PASSWORD))

    assert (error.outcome, error.scope, error.code) == ("permanent", "receiver", "no_login")


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_40_a_hostile_subject_or_name_makes_no_header_and_no_recipient(
    relay: Relay, authority: Path, kind: str
) -> None:
    hostile = HOSTILE[kind]

    def render(_delivery: Delivery) -> Mail:
        return Mail(subject=hostile, text=hostile, html=hostile, references=(hostile,), unsubscribe=hostile)

    sender = Address("Desk", addr_spec="riskwatch@corp.example")
    a_mail_receiver(relay.port, authority, render=render, sender=sender).send(a_delivery())

    mail = read(relay)
    assert [to for to, _ in relay.mails] == ["buyer@example.com"]
    assert (mail["Bcc"], mail["Cc"]) == (None, None)
    assert mail["To"].addresses == (Address(addr_spec="buyer@example.com"),)
    assert "evil@example.com" in mail["Subject"]  # told as text
    assert sum(line.startswith("rcpt") for line in relay.heard) == 1


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_40_a_hostile_name_of_the_sender_stays_a_name(kind: str) -> None:
    class Named(Address):  # Address refuses CR and LF; what else it lets through is what is tested
        @property
        def display_name(self) -> str:
            return HOSTILE[kind]

    made = built(
        a_delivery(),
        a_mail(a_delivery()),
        sender=Named("", addr_spec="riskwatch@corp.example"),
        to=Address(addr_spec="buyer@example.com"),
    )

    again = email.message_from_bytes(made.as_bytes(), policy=email.policy.default)
    assert [address.addr_spec for address in again["From"].addresses] == ["riskwatch@corp.example"]
    assert again["Bcc"] is None


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_40_a_recipient_that_is_no_address_reaches_nobody(
    relay: Relay, receiver: EmailReceiver, kind: str
) -> None:
    hostile = HOSTILE[kind].replace("a", "a@example.com", 1)

    error = refused(receiver, a_delivery(recipient=hostile))

    assert (error.outcome, error.scope, error.code) == ("permanent", "message", "address")
    assert relay.connections == 0


def test_44_no_password_is_told_when_the_relay_echoes_it(
    relay: Relay, authority: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)

    def echo(talk: Talk) -> bytes:
        return f"535 {PASSWORD} {talk.relay.heard[-1]}\r\n".encode()

    relay.says("AUTH", echo)

    error = refused(a_mail_receiver(relay.port, authority, user="u", password=PASSWORD))

    printed = capfd.readouterr()
    for text in (str(error), repr(error), error.reason, caplog.text, printed.out, printed.err):
        assert PASSWORD not in text
        assert "AHUAY29ycmVjdC1ob3JzZS1iYXR0ZXJ5" not in text  # the log-in as it goes over the wire
    assert "<secret>" in error.reason
    assert PASSWORD not in repr(a_server(1, user="u", password=PASSWORD))


def test_an_address_outside_ascii_is_refused_before_a_connection(
    relay: Relay, receiver: EmailReceiver
) -> None:
    assert refused(receiver, a_delivery(recipient="käufer@example.com")).code == "address"
    assert relay.connections == 0


def test_by_default_the_system_s_authorities_judge_the_relay(relay: Relay) -> None:
    receiver = EmailReceiver(
        "mail", recipients=("a@example.com",), server=a_server(relay.port), render=a_mail
    )

    assert refused(receiver).code == "certificate"


# -------------------------------------------------------------------------------- a server of others
class _Box:
    def __init__(self) -> None:
        self.taken: list[Envelope] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - its hook
        self.taken.append(envelope)
        return "250 OK"


def test_an_independent_server_takes_the_mail_after_starttls_and_log_in(
    certificate: Path, authority: Path
) -> None:
    def check(
        _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: object
    ) -> AuthResult:
        return AuthResult(success=given == LoginPassword(b"u", PASSWORD.encode()), handled=False)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    box = _Box()
    controller = Controller(
        box,
        hostname="127.0.0.1",
        port=a_free_port(),
        tls_context=context,
        require_starttls=True,
        authenticator=check,
        auth_required=True,
    )
    controller.start()
    try:
        right = a_mail_receiver(controller.port, authority, user="u", password=PASSWORD)
        sent = right.send(a_delivery())
        wrong = refused(a_mail_receiver(controller.port, authority, user="u", password="another-password"))
    finally:
        controller.stop()

    assert sent.code == "250"
    assert wrong.code == "535"
    assert [envelope.rcpt_tos for envelope in box.taken] == [["buyer@example.com"]]
    content = box.taken[0].content
    assert isinstance(content, bytes)
    assert b"finding 1" in content
