"""E-mail over SMTP: one recipient a message, TLS always, and every way in which it can fail told apart."""

from __future__ import annotations

import base64
import contextlib
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from riskwatch.model import AttemptOutcome, Delivery
from riskwatch.send.classify import Fault, Scope, Stage, no_answer, smtp_fault
from riskwatch.send.message import Mail
from riskwatch.send.receiver import Sent, failed, told

_POLICY = SMTP.clone(cte_type="7bit")  # no server needs 8BITMIME then
_READY, _TAKEN, _TAKEN_TO_FORWARD = 220, 250, 251
_END = b"\r\n.\r\n"
_DOT_BYTES = 3
_MAX_HEADER = 500


@dataclass(frozen=True, slots=True)
class MailServer:
    """The relay that takes our mail."""

    host: str
    sender: Address
    port: int = 587
    security: str = "starttls"  # or tls; there is no third
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    connect_seconds: float = 5.0
    read_seconds: float = 10.0
    total_seconds: float = 45.0


class EmailReceiver:
    """A list of addresses behind one relay."""

    kind = "email"
    pace_seconds = 0.0

    def __init__(
        self,
        id: str,  # noqa: A002 - the name of the Protocol
        *,
        recipients: Sequence[str],
        server: MailServer,
        render: Callable[[Delivery], Mail],
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Create a receiver; `context` judges the relay's certificate; by default as the system does."""
        self.id, self.recipients = id, tuple(recipients)
        self.limit_seconds = server.total_seconds
        self._server, self._render = server, render
        self._context = context or ssl.create_default_context()
        self._secrets = _forms_of(server.user or "", server.password or "")

    def send(self, delivery: Delivery) -> Sent:
        """Hand one message to the relay. Raises DeliveryError."""
        try:
            to = Address(addr_spec=delivery.recipient)
            to.addr_spec.encode("ascii")
        except (ValueError, IndexError):
            fault = Fault(AttemptOutcome.PERMANENT, Scope.MESSAGE, "address")
            raise failed(self.id, fault, "the recipient is no mail address that can be used") from None
        content = built(delivery, self._render(delivery), sender=self._server.sender, to=to).as_bytes()
        talk = _Conversation(self._server, self._context)
        with _at_most(self._server.total_seconds, talk.cut) as is_over:
            try:
                reply = talk.hand_over(content, to=to.addr_spec)
            except (smtplib.SMTPException, OSError, _Refusal) as error:
                fault = no_answer("timeout", is_sent=talk.is_dot_sent) if is_over() else talk.fault_of(error)
                reason = told(f"{talk.stage}: {_words(error)}", secrets=self._secrets)
                raise failed(self.id, fault, reason) from None
            finally:
                talk.end(is_over=is_over())
        said = told(reply, secrets=self._secrets)
        return Sent(str(_TAKEN), said, provider_ref=said or None)


# -------------------------------------------------------------------------------- the message
def built(delivery: Delivery, mail: Mail, *, sender: Address, to: Address) -> EmailMessage:
    """Return the message: the same bytes for every try, one recipient, no header of a text's making."""
    made = EmailMessage(policy=_POLICY)
    made["Subject"] = _line(mail.subject)
    made["From"] = Address(_line(sender.display_name), addr_spec=sender.addr_spec)
    made["To"] = to
    made["Date"] = delivery.created_at
    made["Message-ID"] = f"<{delivery.id}@{sender.domain}>"
    if mail.references:
        made["References"] = " ".join(f"<{_line(id_)}@{sender.domain}>" for id_ in mail.references)
    made["Auto-Submitted"] = "auto-generated"
    made["X-Riskwatch-Delivery"] = delivery.id
    if mail.unsubscribe:
        made["List-Unsubscribe"] = f"<{_line(mail.unsubscribe)}>"
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made.set_content(_encodable(mail.text))
    made.add_alternative(_encodable(mail.html), subtype="html")
    made.set_boundary(f"riskwatch-{delivery.id}")
    return made


def _line(text: str) -> str:
    """Return one line of printable characters: no header can begin inside it."""
    line = text[:_MAX_HEADER]  # the e-mail package takes minutes for a header of a megabyte
    return " ".join("".join(c if c.isprintable() else " " for c in line).split())


def _encodable(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


# -------------------------------------------------------------------------------- the conversation
class _Refusal(Exception):
    """A reply that ends the conversation, with its class."""

    def __init__(self, fault: Fault, said: str) -> None:
        super().__init__(said)
        self.fault = fault


class _Conversation(smtplib.SMTP):
    """One connection; it knows its stage and whether the final dot went out."""

    def __init__(self, server: MailServer, context: ssl.SSLContext) -> None:
        # A name of our own: the default asks the resolver, which may hang
        super().__init__(local_hostname=server.sender.domain, timeout=server.connect_seconds)
        self._server, self._context = server, context
        self._host = server.host  # what starttls checks the certificate against
        self.stage, self.is_dot_sent = Stage.GREETING, False
        self._watched: socket.socket | None = None

    def hand_over(self, content: bytes, *, to: str) -> bytes:
        """Speak from greeting to final reply; return what the relay said."""
        server = self._server
        self._expect(self.connect(server.host, server.port), _READY)
        self._at(Stage.HELLO, self.ehlo)
        if server.security != "tls":
            self.stage = Stage.TLS
            if not self.has_extn("starttls"):
                fault = Fault(AttemptOutcome.PERMANENT, Scope.RECEIVER, "no_starttls")
                raise _Refusal(fault, "the server offers no STARTTLS; nothing is sent in clear")
            self.starttls(context=self._context)
            self._at(Stage.HELLO, self.ehlo)
        if server.user:
            self.stage = Stage.LOGIN
            self._log_in(server.user, server.password or "")
        self._at(Stage.SENDER, lambda: self.mail(server.sender.addr_spec))
        self._at(Stage.RECIPIENT, lambda: self.rcpt(to))
        return self._at(Stage.CONTENT, lambda: self.data(content))

    def send(self, s: bytes | bytearray | memoryview | str) -> None:  # type: ignore[override] # of what we send
        """Send; the dot that ends a message goes out apart, so that its going is known."""
        if self.stage is Stage.CONTENT and isinstance(s, bytes) and s.endswith(_END):
            super().send(s[:-_DOT_BYTES])
            self.is_dot_sent = True
            s = s[-_DOT_BYTES:]
        super().send(s)

    def fault_of(self, error: Exception) -> Fault:
        """Return the class of what ended the conversation."""
        if isinstance(error, _Refusal):
            return error.fault
        if isinstance(error, smtplib.SMTPResponseException):
            return smtp_fault(self.stage, error.smtp_code)
        if isinstance(error, ssl.SSLCertVerificationError):
            return Fault(AttemptOutcome.PERMANENT, Scope.RECEIVER, "certificate")
        for kind, code in (
            (smtplib.SMTPServerDisconnected, "disconnected"),
            (TimeoutError, "timeout"),
            (ssl.SSLError, "tls"),
            (socket.gaierror, "dns"),
            (ConnectionRefusedError, "refused"),
        ):
            if isinstance(error, kind):
                return no_answer(code, is_sent=self.is_dot_sent)
        return no_answer("network", is_sent=self.is_dot_sent)

    def cut(self) -> None:
        """Break the connection under whoever waits for it."""
        if self._watched is not None:
            with contextlib.suppress(OSError):
                self._watched.shutdown(socket.SHUT_RDWR)

    def end(self, *, is_over: bool) -> None:
        """Say good-bye where there is time; whatever happens here, the message is settled."""
        if self.sock is not None and not is_over:
            with contextlib.suppress(smtplib.SMTPException, OSError):
                self.quit()
        self.close()
        if self._watched is not None:
            self._watched.close()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        sock = socket.create_connection((host, port), timeout)
        self._watched = sock.dup()  # wrapping in TLS takes the first one away
        sock.settimeout(self._server.read_seconds)
        if self._server.security != "tls":
            return sock
        try:
            return self._context.wrap_socket(sock, server_hostname=host)
        except BaseException:
            sock.close()
            raise

    def _at(self, stage: Stage, ask: Callable[[], tuple[int, bytes]]) -> bytes:
        self.stage = stage
        return self._expect(ask(), _TAKEN, _TAKEN_TO_FORWARD)

    def _expect(self, reply: tuple[int, bytes], *good: int) -> bytes:
        code, said = reply
        if code not in good:
            raise smtplib.SMTPResponseException(code, said)
        return said

    def _log_in(self, user: str, password: str) -> None:
        """Try one mechanism once: a second try with the same password only locks accounts."""
        offered = self.esmtp_features.get("auth", "").upper().split()
        self.user, self.password = user, password
        if "PLAIN" in offered:
            self.auth("PLAIN", self.auth_plain)
        elif "LOGIN" in offered:
            self.auth("LOGIN", self.auth_login)
        else:
            fault = Fault(AttemptOutcome.PERMANENT, Scope.RECEIVER, "no_login")
            raise _Refusal(fault, "the server offers no way to log in that is used here")


def _words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        return f"{error.smtp_code} {said.decode('utf-8', 'replace') if isinstance(said, bytes) else said}"
    return str(error) if isinstance(error, _Refusal) else type(error).__name__


def _forms_of(user: str, password: str) -> tuple[str, ...]:
    """Return the forms in which a relay could echo the password."""
    if not password:
        return ()
    plain = f"\0{user}\0{password}"
    return (password, *(base64.b64encode(text.encode()).decode() for text in (password, plain)))


@contextlib.contextmanager
def _at_most(seconds: float, cut: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Call `cut` when the time is up: a socket's own time-out starts anew with every byte."""
    over = threading.Event()

    def end() -> None:
        over.set()
        cut()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield over.is_set
    finally:
        timer.cancel()
