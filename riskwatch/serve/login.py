"""Log-in, log-out and change of password: the pages before the others."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, g, render_template, request

from riskwatch.errors import Invalid, PasswordDue, RiskwatchError, Stray, Unauthorized
from riskwatch.serve.access import COOKIE, TOKEN_HEADER, Caller, Window, member
from riskwatch.serve.pages.frame import site_of
from riskwatch.serve.passwords import LEAST_CHARS
from riskwatch.serve.route import Desk
from riskwatch.serve.sessions import LASTS, LoggedIn, Sessions

LOGINS_PER_MINUTE = 10  # by address
_FORM_COOKIE = "riskwatch_login"  # ties the log-in form to the browser that it was shown to
_FORM_LASTS, _NONCE_CHARS = timedelta(hours=1), 43
_LONGEST_NEXT, _LONGEST_NAME = 2_000, 200
_OWN = ("/login", "/logout", "/password")


def install(app: Flask, desk: Desk, sessions: Sessions, count: Callable[[], None]) -> Porch:
    """Add the pages and return what they share; `count` raises TooMany where an address asks too often."""
    porch = Porch(desk, sessions, count, Window(LOGINS_PER_MINUTE))
    app.context_processor(lambda: {"me": g.get("caller") or _member_of(sessions)})
    for path, method, view in (
        ("/login", "GET", porch.show_login),
        ("/login", "POST", porch.log_in),
        ("/logout", "POST", porch.log_out),
        ("/password", "GET", porch.show_password),
        ("/password", "POST", porch.change_password),
    ):
        app.add_url_rule(path, view.__name__, view, methods=[method])
    return porch


@dataclass(frozen=True, slots=True)
class Porch:
    """The pages before the others."""

    desk: Desk
    sessions: Sessions
    count: Callable[[], None]
    logins: Window

    def show_login(self) -> Response:
        """Show the form."""
        self.count()
        target = next_of(request.args.get("next"))
        is_in = self.sessions.of(session_id()) is not None
        return sent_to(target) if is_in else self.login_form(target)

    def log_in(self) -> Response:
        """Take the form."""
        self.count()
        address, target = request.remote_addr or "", next_of(request.form.get("next"))
        self.logins.count(address)
        if not self._is_of_our_form():
            raise Stray("the form is not the one this browser was shown: allow cookies, open /login again")
        name, password = request.form.get("name", "")[:_LONGEST_NAME], request.form.get("password", "")
        try:
            made = self.sessions.log_in(name, password, address=address, held=session_id())
        except Unauthorized as error:
            return self.login_form(target, fault=str(error), name=name)
        response = sent_to(target)
        self.open(response, made)
        return response

    def open(self, response: Response, made: str) -> None:
        """Give the browser its new session."""
        self.give(response, COOKIE, made, lasts=LASTS)
        response.delete_cookie(_FORM_COOKIE, path="/login")

    def log_out(self) -> Response:
        """End the session."""
        self.count()
        found = self.sessions.of(session_id())
        if found is not None:
            member(found).must_show(shown_token)
            self.sessions.log_out(found, address=request.remote_addr or "")
        response = sent_to("/login")
        response.delete_cookie(COOKIE)
        return response

    def show_password(self) -> Response:
        """Show the form of a new password."""
        self.count()
        return self._password_form(self._logged_in())

    def change_password(self) -> Response:
        """Take the new password."""
        self.count()
        found = self._logged_in()
        member(found).must_show(shown_token)
        present, new, again = (request.form.get(name, "") for name in ("present", "new", "again"))
        if new != again:
            return self._password_form(found, Invalid("again", "is not the same"))
        try:
            made = self.sessions.change_password(found, present, new, address=request.remote_addr or "")
        except Invalid as error:
            return self._password_form(found, error)
        response = sent_to(next_of(request.form.get("next")))
        self.give(response, COOKIE, made, lasts=LASTS)
        return response

    def _logged_in(self) -> LoggedIn:
        found = self.sessions.of(session_id())
        if found is None:
            raise Unauthorized("log in first, at /login")
        if found.user.subject is not None:
            raise Invalid("password", "the identity provider keeps it; change it there")
        return found

    def _is_of_our_form(self) -> bool:
        nonce, token = _nonce(), request.form.get("csrf", "")
        if nonce is None or not token.isascii():
            return False
        return hmac.compare_digest(self.sessions.keyed("login", nonce), token)

    def login_form(
        self, target: str, *, fault: str = "", name: str = "", is_vouched: bool = False
    ) -> Response:
        """Return the log-in; a fault of the identity provider (`is_vouched`) is none of the fields'."""
        nonce = _nonce() or secrets.token_urlsafe(32)
        given = {"token": self.sessions.keyed("login", nonce), "next": target, "name": name}
        is_local = self.desk.config.local_login
        faults = {"fault" if is_local and not is_vouched else "refusal": fault}
        ways = {"is_local": is_local, "sso": self.desk.config.sso}
        response = self._page("login.html", status=401 if fault else 200, **given, **faults, **ways)
        if fault:
            response.headers["WWW-Authenticate"] = 'Form realm="riskwatch"'
        self.give(response, _FORM_COOKIE, nonce, lasts=_FORM_LASTS, path="/login")
        return response

    def _password_form(self, found: LoggedIn, fault: Invalid | None = None) -> Response:
        return self._page(
            "password.html",
            status=200 if fault is None else 422,
            next=next_of(request.values.get("next")),
            is_due=found.user.is_one_time,
            least=LEAST_CHARS,
            fault={} if fault is None else {fault.field: fault.reason},
        )

    def _page(self, template: str, *, status: int, **context: Any) -> Response:  # noqa: ANN401 - of the template
        text = render_template(template, site=site_of(self.desk), is_bare=True, **context)
        return Response(text, status=status, mimetype="text/html", headers={"Cache-Control": "no-store"})

    def give(self, response: Response, name: str, value: str, *, lasts: timedelta, path: str = "/") -> None:
        """Set a cookie that scripts cannot read and that does not come with other sites' requests."""
        secure = request.is_secure or self.desk.config.base_url.startswith("https://")
        response.set_cookie(
            name, value, max_age=lasts, path=path, secure=secure, httponly=True, samesite="Lax"
        )


# -------------------------------------------------------------------------------- requests
def session_id() -> str | None:
    """Return what the browser holds as its session."""
    return request.cookies.get(COOKIE)


def shown_token() -> str | None:
    """Return the token that comes with a change: in the header, or in the form of a page."""
    return request.headers.get(TOKEN_HEADER) or request.form.get("csrf")


def next_of(text: str | None) -> str:
    """Return where a log-in leads: a path of this site, the overview in place of anything else."""
    if text is None or len(text) > _LONGEST_NEXT or not text.startswith("/") or text.startswith("//"):
        return "/"
    is_plain = text.isascii() and text.isprintable() and not {" ", "\\"} & set(text)
    return text if is_plain and not text.startswith(_OWN) else "/"


def asks_to_log_in(error: Unauthorized) -> Response:
    """Return the way to the log-in, or to the new password that is due, and back to the page asked for."""
    path = "/password" if isinstance(error, PasswordDue) else "/login"
    if request.method not in ("GET", "HEAD"):
        return sent_to(path)
    query = request.query_string.decode("ascii", "replace")
    target = next_of(request.path + (f"?{query}" if query else ""))
    return sent_to(f"{path}?{urlencode({'next': target})}")


def sent_to(target: str) -> Response:
    """Return the way to a page of this site, to be asked for by GET."""
    return Response(status=303, headers={"Location": target, "Cache-Control": "no-store"})


def _nonce() -> str | None:
    held = request.cookies.get(_FORM_COOKIE, "")
    return held if len(held) == _NONCE_CHARS and held.isascii() else None


def _member_of(sessions: Sessions) -> Caller | None:
    """Return who is logged in, for the frame of open pages; it never fails, as the frame never does."""
    try:
        found = sessions.of(session_id())
    except RiskwatchError:
        return None
    return None if found is None else member(found)
