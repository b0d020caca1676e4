"""Signed links of messages: GET and HEAD show what will be done, only POST does it, for the token alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Flask, Response, render_template, request

from riskwatch.errors import Invalid, NotFound
from riskwatch.serve import alerts
from riskwatch.serve.pages.frame import site_of
from riskwatch.serve.route import Desk
from riskwatch.signing import Grant

_ONE_CLICK = ("List-Unsubscribe", "One-Click")  # RFC 8058: a mail program posts this, nobody reads the answer
_LONGEST_TOKEN = 1_000


def install(app: Flask, desk: Desk, count: Callable[[], None]) -> None:
    """Add the pages behind /a/; `count` raises TooMany where an address asks too often."""

    def show(token: str) -> Response:
        count()
        told = _told(desk, _granted(desk, token))
        return _page(render_template("link.html", site=site_of(desk), is_asked=True, **told))

    def act(token: str) -> Response:
        count()
        grant = _granted(desk, token)
        done = desk.alerting.use(grant)
        if grant.purpose == "unsubscribe" and request.form.get(_ONE_CLICK[0]) == _ONE_CLICK[1]:
            return Response("", mimetype="text/plain")
        told = {"title": "Done", "sentence": done}
        return _page(render_template("link.html", site=site_of(desk), is_asked=False, **told))

    app.add_url_rule("/a/<token>", "show_link", show, methods=["GET"])
    app.add_url_rule("/a/<token>", "use_link", act, methods=["POST"])


def _page(text: str) -> Response:
    return Response(text, mimetype="text/html", headers={"Cache-Control": "no-store"})


def _granted(desk: Desk, token: str) -> Grant:
    if len(token) > _LONGEST_TOKEN:
        raise Invalid("link", "it is not one of ours")
    return desk.alerting.grant(token)


def _told(desk: Desk, grant: Grant) -> Mapping[str, str]:
    """Return what a link will do, in words. Raises Invalid where it does nothing here."""
    if grant.purpose == "unsubscribe":
        if grant.object not in {one.id for one in desk.alerting.digests()}:
            raise NotFound("digest", grant.object, "it is no longer sent to anybody")
        return {
            "title": "Send me no more digests?",
            "sentence": f"The digest {grant.object} will no longer be sent to your address. "
            "Alerts are not changed.",
            "button": "Unsubscribe",
        }
    if grant.purpose == "verify":
        receiver_id = grant.object.partition(":")[0]
        return {
            "title": "Have alerts sent here?",
            "sentence": f"Alerts of the receiver {receiver_id} will be sent to where you read this.",
            "button": "Confirm",
        }
    if grant.purpose not in ("acknowledge", "silence"):
        raise Invalid("link", "it allows nothing here")
    with desk.store.begin(write=False) as unit:
        found = unit.incidents.incident(grant.object)
    shown = alerts.named(desk, found, alerts.rule_names(desk))
    about = f"{shown['subject_name']}, “{shown['rule_name']}”"
    if grant.purpose == "acknowledge":
        return {
            "title": "Acknowledge this incident?",
            "sentence": f"{about}: repeats stop. Worsening, corrections and the end are still told.",
            "button": "Acknowledge",
        }
    return {
        "title": "Silence this for 7 days?",
        "sentence": f"{about}: nothing more is sent about it for 7 days, to anybody. "
        "Whatever still fires then is told once.",
        "button": "Silence for 7 days",
    }
