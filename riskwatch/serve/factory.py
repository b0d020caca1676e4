"""create_app: routes of /v1 and pages on one Flask app; no module-level app, nothing at import."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, render_template, request
from pydantic import ValidationError
from werkzeug.exceptions import BadRequest, HTTPException, UnsupportedMediaType
from werkzeug.middleware.proxy_fix import ProxyFix

from riskwatch.errors import RiskwatchError, Unauthorized
from riskwatch.model import Actor
from riskwatch.serve import health, links, login, problem
from riskwatch.serve.access import Caller, Door, Rules, Visitor
from riskwatch.serve.alert_actions import AlertActions
from riskwatch.serve.api import ROUTES
from riskwatch.serve.board import Boards
from riskwatch.serve.context import Actions, Now, ServeConfig
from riskwatch.serve.front import Front
from riskwatch.serve.openapi import openapi
from riskwatch.serve.pages import ACTS, PAGES, Act, Page
from riskwatch.serve.pages.frame import site_of
from riskwatch.serve.query import Nothing
from riskwatch.serve.route import (
    Desk,
    Kept,
    Listings,
    Route,
    answer_bytes,
    answered,
    check_match,
    check_path,
    listing_key,
    query_values,
    spoken,
)
from riskwatch.serve.sessions import Sessions
from riskwatch.store import Store

_FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via")
_BEHIND = "werkzeug.proxy_fix.orig"  # of the WSGI environment: trusted proxies stand in front of everything
_KEY = "HTTP_X_API_KEY"
Admit = Callable[[str], Caller]  # scope -> who asks; raises Unauthorized, Forbidden, TooMany
_LEAST_ZIPPED = 1_400  # one packet


def create_app(
    *, store: Store, actions: Actions, config: ServeConfig, now: Now, alerts: AlertActions | None = None
) -> Flask:
    """Return the web app.

    Args:
        store: Where answers are read.
        actions: Callables of other stages.
        config: Values of the configuration.
        now: The clock; in the demo it stands still.
        alerts: What may be asked of alerting; where it is none, its operations answer 503.
    """
    app = Flask(
        "riskwatch.serve", root_path=str(_root()), static_folder="static", template_folder="templates"
    )
    app.config["MAX_CONTENT_LENGTH"] = config.max_body_bytes
    app.json.sort_keys = False  # type: ignore[attr-defined]  # of the default provider
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    desk = Desk(store, actions, config, Boards(store, config, now), now, alerts)
    rules = Rules(config.pepper, config.anonymous_read, config.per_minute, config.anonymous_per_minute)
    issuer = None if config.sso is None else config.sso.issuer
    sessions = Sessions(store, config.pepper, now, is_local=config.local_login, issuer=issuer)
    door = Door(store, rules, version=desk.boards.version, sessions=sessions)
    admit = _admission(door, now)
    _install_pages_errors(app, desk)
    app.after_request(_static_age)
    listings = Listings()
    app.wsgi_app = Front(  # type: ignore[method-assign] # Flask's own way to wrap an app
        app.wsgi_app,
        listings,
        version=desk.boards.version,
        known_caller=lambda shown: door.known(shown, now=now()),
    )
    if config.trusted_proxies:  # never the host: links come from the settings
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign] # as above
            app.wsgi_app, x_for=config.trusted_proxies, x_proto=config.trusted_proxies, x_host=0
        )
    for route in ROUTES:
        app.add_url_rule(
            route.path,
            route.name,
            _operation(route, desk, admit, listings),
            methods=[route.method],
            provide_automatic_options=False,
        )
    for page in PAGES:
        app.add_url_rule(page.path, f"page_{page.name}", _page(page, desk, admit), methods=["GET"])
    for act in ACTS:
        app.add_url_rule(act.path, f"act_{act.name}", _act(act, desk, admit), methods=["POST"])
    porch = login.install(app, desk, sessions, lambda: door.count(_visitor()))
    if config.sso is not None:
        from riskwatch.serve import oidc, sso  # noqa: PLC0415 - of the extra [sso]

        sso.install(app, porch, oidc.Provider(config.sso, now), now=now)
    links.install(app, desk, lambda: door.count(_visitor()))
    description = json.dumps(openapi(ROUTES, version=config.version), ensure_ascii=False, indent=1).encode()
    health.install(app, desk, admit, description)
    return app


def _root() -> str:
    from importlib.resources import files  # noqa: PLC0415 - only here

    return str(files("riskwatch") / "serve")


# -------------------------------------------------------------------------------- requests
def _static_age(response: Response) -> Response:
    path = request.environ.get("PATH_INFO", "")
    if path.startswith("/static/"):
        age = 31_536_000 if "vendor" in path else 3_600
        response.headers["Cache-Control"] = f"public, max-age={age}"
    return response


def _visitor() -> Visitor:
    return Visitor(
        request.remote_addr or "",
        urlsplit(f"//{request.host}").hostname or "",
        is_forwarded=_BEHIND in request.environ or any(name in request.headers for name in _FORWARDED),
    )


def _admission(door: Door, now: Now) -> Admit:
    def admit(scope: str) -> Caller:
        shown = request.environ.get(_KEY)
        g.caller = caller = door.caller(shown, session=login.session_id, visitor=_visitor, now=now())
        if request.method not in ("GET", "HEAD"):
            caller.must_show(login.shown_token)
        caller.must_have(scope)
        return caller

    return admit


def _operation(route: Route, desk: Desk, admit: Admit, listings: Listings) -> Callable[..., Response]:
    def operate(**path: str) -> Response:
        caller = admit(route.scope)
        check_path(path)
        if route.is_listing:
            return _listing(route, desk, path, listings)
        try:
            arguments: list[Any] = [route.query.model_validate(query_values(route.query))]
        except ValidationError as error:
            return problem.of_validation(error, place="query")
        if route.body is not None:
            try:
                arguments.append(route.body.model_validate(_body()))
            except ValidationError as error:
                return problem.of_validation(error, place="body")
        if route.held is not None:
            check_match(partial(route.held, desk, Nothing(), **path))
        who = {"actor": _actor(caller)} if route.is_change else {}
        return answered(*answer_bytes(route.view(desk, *arguments, **path, **who)), status=route.status)

    return operate


def _actor(caller: Caller) -> Actor:
    return Actor(caller.id, may_all="admin" in caller.scopes)


def _listing(route: Route, desk: Desk, path: Mapping[str, str], listings: Listings) -> Response:
    version, key = desk.boards.version(), listing_key(request.environ)
    held = listings.held(version, key)
    if held is None:
        try:
            query = route.query.model_validate(query_values(route.query))
        except ValidationError as error:
            return problem.of_validation(error, place="query")
        held = Kept(*answer_bytes(route.view(desk, query, **path)), route.scope)
        listings.keep(version, key, held)
    status, headers, body = spoken(held, request.environ)
    return Response(body, status=status, headers=headers)


def _body() -> object:
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        return json.loads(request.get_data(), parse_constant=_refused)
    except (ValueError, RecursionError):
        raise BadRequest from None


def _refused(_name: str) -> None:
    raise ValueError  # NaN and Infinity are no JSON


# -------------------------------------------------------------------------------- pages
def _page(page: Page, desk: Desk, admit: Admit) -> Callable[..., Response]:
    def show(**path: str) -> Response:
        admit("read")
        template, context = page.view(desk, request.args, **path)
        return _html(render_template(template, site=site_of(desk, is_admitted=True), **context))

    return show


def _act(act: Act, desk: Desk, admit: Admit) -> Callable[..., Response]:
    def do(**path: str) -> Response:
        caller = admit(act.scope)
        check_path(path)
        return login.sent_to(act.act(desk, request.form, _actor(caller), **path))

    return do


def _html(text: str, status: int = 200) -> Response:
    body = text.encode()
    response = Response(body, status=status, mimetype="text/html")
    if status == 200:  # noqa: PLR2004 - done
        response.headers["ETag"] = tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        response.headers["Cache-Control"] = "private, no-cache"
        if tag in request.headers.get("If-None-Match", "").replace("W/", "").replace("-gzip", ""):
            return Response(status=304, headers={"ETag": tag})
    if len(body) > _LEAST_ZIPPED and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.set_data(gzip.compress(body, compresslevel=6, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
    return response


def _install_pages_errors(app: Flask, desk: Desk) -> None:
    """Show errors of pages as pages; the API and everything else answer with problem documents."""
    machine = ("/v1/", "/v1", "/metrics", "/openapi.json", "/livez", "/readyz")

    def is_page() -> bool:
        return not request.path.startswith(machine) and "html" in request.headers.get("Accept", "html")

    def shown(error: Exception) -> Response:
        if isinstance(error, Unauthorized) and is_page() and _KEY not in request.environ:
            return login.asks_to_log_in(error)
        if isinstance(error, HTTPException):
            answer = problem.of_http(error)
        else:
            answer = problem.known(error) if isinstance(error, RiskwatchError) else problem.unknown(error)
        if not is_page():
            return answer
        try:
            told = json.loads(answer.get_data())
            text = render_template("problem.html", site=site_of(desk), problem=told)
        except Exception:  # noqa: BLE001 - a page that cannot be shown must not hide the first error
            return answer
        page = _html(text, status=answer.status_code)
        page.headers["Cache-Control"] = "no-store"
        if "Retry-After" in answer.headers:
            page.headers["Retry-After"] = answer.headers["Retry-After"]
        return page

    app.register_error_handler(RiskwatchError, shown)
    app.register_error_handler(HTTPException, shown)
    app.register_error_handler(Exception, shown)
