"""Log-in by an identity provider: the way to it and the way back, each in the browser that began."""

from __future__ import annotations

import hmac
import secrets
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import Flask, Response, request

from riskwatch.errors import Unauthorized
from riskwatch.serve.access import Window
from riskwatch.serve.context import Now
from riskwatch.serve.login import LOGINS_PER_MINUTE, Porch, next_of, sent_to, session_id
from riskwatch.serve.oidc import Asked, Provider, plain

START, BACK = "/login/sso", "/login/sso/back"
TICKET = "riskwatch_sso"  # cookie of a log-in on its way
LASTS = timedelta(minutes=10)
_LONGEST_CODE = 4_000
_STRAY = "This log-in was not begun in this browser, is too old or was used before: begin again."


def install(app: Flask, porch: Porch, provider: Provider, *, now: Now) -> None:
    """Add both ways."""
    gate = _Gate(porch, provider, now, Window(LOGINS_PER_MINUTE), _Spent(now))
    app.add_url_rule(START, "sso_start", gate.start, methods=["GET"])
    app.add_url_rule(BACK, "sso_back", gate.back, methods=["GET"])


class _Spent:
    """Log-ins that came back, in this process: none comes back twice."""

    def __init__(self, now: Now) -> None:
        self._now, self._lock, self._until = now, threading.Lock(), dict[str, datetime]()

    def spend(self, state: str, *, until: datetime) -> bool:
        """Return whether it comes back for the first time."""
        now = self._now()
        with self._lock:
            self._until = {one: at for one, at in self._until.items() if at > now}
            is_first = state not in self._until
            self._until[state] = until
        return is_first


@dataclass(frozen=True, slots=True)
class _Gate:
    porch: Porch
    provider: Provider
    now: Now
    starts: Window
    spent: _Spent

    def start(self) -> Response:
        self.porch.count()
        self.starts.count(request.remote_addr or "")
        target = next_of(request.args.get("next"))
        ticket = _ticket(target, until=self.now() + LASTS)
        try:
            response = sent_to(self.provider.way_in(self._asked(ticket)))
        except Unauthorized as error:
            return self.porch.login_form(target, fault=str(error), is_vouched=True)
        self.porch.give(response, TICKET, ticket, lasts=LASTS, path=START)
        return response

    def back(self) -> Response:
        self.porch.count()
        address, target = request.remote_addr or "", "/"
        self.porch.logins.count(address)
        try:
            ticket, target = self._ticket()
            vouched = self.provider.vouched(self._code(), self._asked(ticket))
            made = self.porch.sessions.log_in_by(vouched, address=address, held=session_id())
        except Unauthorized as error:
            response = self.porch.login_form(target, fault=str(error), is_vouched=True)
        else:
            response = sent_to(target)
            self.porch.open(response, made)
        response.delete_cookie(TICKET, path=START)
        return response

    def _asked(self, ticket: str) -> Asked:
        """Return what goes along with a ticket: hashes that no one else can make, so nothing is kept."""
        keyed = self.porch.sessions.keyed
        redirect_uri = f"{self.porch.desk.config.base_url}{BACK}"
        return Asked(redirect_uri, *(keyed(f"sso-{what}", ticket) for what in ("state", "nonce", "verifier")))

    def _ticket(self) -> tuple[str, str]:
        """Return the browser's ticket, now spent, and where it leads; the state is its hash."""
        ticket, state = request.cookies.get(TICKET, ""), request.args.get("state", "")
        if not (ticket.isascii() and state.isascii()):
            raise Unauthorized(_STRAY)
        if not hmac.compare_digest(self._asked(ticket).state, state):
            raise Unauthorized(_STRAY)
        until, target = _read(ticket)
        if until <= self.now() or not self.spent.spend(state, until=until):
            raise Unauthorized(_STRAY)
        return ticket, target

    def _code(self) -> str:
        given, sso = request.args, self.porch.desk.config.sso
        label, issuer = ("", "") if sso is None else (sso.label, sso.issuer)
        if "iss" in given and given["iss"] != issuer:  # RFC 9207
            raise Unauthorized(f"Log-in with {label} failed: another provider answered.")
        code = given.get("code", "")
        if "error" in given or not 0 < len(code) <= _LONGEST_CODE:
            told = given.get("error_description") or given.get("error") or "it gave no code"
            raise Unauthorized(f"Log-in with {label} failed: {plain(told)}")
        return code


def _ticket(target: str, *, until: datetime) -> str:
    return (
        f"{int(until.timestamp())}.{secrets.token_urlsafe(32)}.{urlsafe_b64encode(target.encode()).decode()}"
    )


def _read(ticket: str) -> tuple[datetime, str]:
    """Read a ticket of ours."""
    until, _, target = ticket.split(".")
    return datetime.fromtimestamp(int(until), UTC), next_of(urlsafe_b64decode(target).decode())
