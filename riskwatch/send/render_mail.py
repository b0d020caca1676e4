"""A Message → a mail: subject, text part and HTML part, both from the same words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined, select_autoescape

from riskwatch.model import Severity, Step
from riskwatch.send import text
from riskwatch.send.message import Alert, AlertMessage, DigestMessage, Links, Mail, Message, OverflowMessage
from riskwatch.send.pages import Pages
from riskwatch.send.render import AlertView, fitted, headed, view
from riskwatch.send.sheet import Sheet, SheetMessage, alerts_over, alerts_sheet, sheet
from riskwatch.send.text import SafeText

MAX_SUBJECT_CHARS = 78
MAX_HTML_BYTES = 90_000
_MARK = "[riskwatch] "
_ROOM = MAX_SUBJECT_CHARS - len(_MARK)
_NAME_CHARS = (40, 24)  # a long name gives way to the headline
_TONES = {Severity.CRITICAL: "#8e1b2b", Severity.WARNING: "#7a5700", Severity.INFO: "#46524c"}
_RELIEF = "#1a6650"
_ROWS_ALONE = (10, 5, 2)  # the first that fits
_ROWS_OF_SEVERAL = (3, 1, 0)  # 0: one line for each alert
_ROWS_OF_SHEET = (30, 15, 5)


class Templates:
    """The mail templates, compiled; made once by the wiring from their sources."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._environment = Environment(
            loader=DictLoader(sources),
            autoescape=select_autoescape(("html",)),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def fill(self, name: str, values: Mapping[str, Any]) -> str:
        """Return one template filled; HTML is escaped."""
        return self._environment.get_template(name).render(values)


def mail(message: Message, *, links: Links, recipient: str, templates: Templates) -> Mail:
    """Return the mail of a Message to one recipient."""
    if isinstance(message, AlertMessage):
        return _alerts(message, links, recipient, templates)
    return _sheet(message, links, recipient, templates)


# -------------------------------------------------------------------------------- subject lines
def subject_line(rest: str) -> str:
    """Return the subject line with the mark of the product, at most 78 characters."""
    return text.cut(_MARK + SafeText(rest, MAX_SUBJECT_CHARS), MAX_SUBJECT_CHARS)


def _alert_subject(alerts: Sequence[Alert]) -> str:
    if len(alerts) == 1:
        words = [f"{headed(alerts[0], name_chars=n)}: {SafeText(alerts[0].headline)}" for n in _NAME_CHARS]
        return subject_line(next((line for line in words if len(line) <= _ROOM), words[-1]))
    return subject_line(f"{alerts_over(alerts)}: {', '.join(headed(alert) for alert in alerts[:3])}")


# -------------------------------------------------------------------------------- alerts
def _alerts(message: AlertMessage, links: Links, recipient: str, templates: Templates) -> Mail:
    is_alone = len(message.alerts) == 1
    references = tuple(dict.fromkeys(alert.incident_id for alert in message.alerts))

    def made(rows: int) -> Mail:
        if not rows:
            listed = _sheet_values(alerts_sheet(message.alerts, Pages(links.base_url)), recipient, None)
            return _sheet_mail(listed, templates, references)
        values = _alert_values(message.alerts, links, rows) | {"recipient": SafeText(recipient)}
        return Mail(
            subject=values["subject"],
            text=_tidy(templates.fill("alerts.txt", values)),
            html=templates.fill("alert.html" if is_alone else "alerts.html", values),
            references=references,
        )

    return fitted(_ROWS_ALONE if is_alone else _ROWS_OF_SEVERAL, made, fits=_fits)


def _fits(made: Mail) -> bool:
    return len(made.html.encode()) < MAX_HTML_BYTES


def _alert_values(alerts: Sequence[Alert], links: Links, rows: int) -> dict[str, Any]:
    views = [view(alert, links, rows=rows) for alert in alerts]
    worst = max((shown.severity for shown in views), key=lambda severity: severity.rank)
    return {
        "subject": _alert_subject(alerts),
        "preheader": _preheader(views[0]),
        "alerts": views,
        "title": alerts_over(alerts),
        "label": views[0].label if len(views) == 1 else text.capital(worst),
        "tone": _RELIEF if all(shown.step is Step.RESOLVED for shown in views) else _TONES[worst],
        "closing": _closing(views),
        "why": f"{worst} alerts",
        "unsubscribe": None,
    }


def _preheader(shown: AlertView) -> str:
    """Return what a mailbox shows beside the subject: reasons with points, interval, exposure."""
    reasons = ", ".join(f"{text.cut(reason.heading, 60)} {reason.points}" for reason in shown.reasons[:3])
    between = f"{shown.between}." if shown.between else ""
    return " ".join(part for part in (f"{reasons}." if reasons else "", between, shown.exposure) if part)


def _closing(views: Sequence[AlertView]) -> tuple[str, ...]:
    if len(views) > 1:
        return ()
    result = f"Result {views[0].result}: the same figures stand on the page, in the API and in Slack."
    return (" · ".join(views[0].closing), *((result,) if views[0].result else ()))


# -------------------------------------------------------------------------------- all other messages
def _sheet(message: SheetMessage, links: Links, recipient: str, templates: Templates) -> Mail:
    unsubscribe = links.unsubscribe if isinstance(message, DigestMessage) else None

    return fitted(
        _ROWS_OF_SHEET,
        lambda rows: _sheet_mail(
            _sheet_values(sheet(message, links, rows=rows), recipient, unsubscribe),
            templates,
            _references(message),
        ),
        fits=_fits,
    )


def _sheet_mail(values: Mapping[str, Any], templates: Templates, references: tuple[str, ...]) -> Mail:
    return Mail(
        subject=values["subject"],
        text=_tidy(templates.fill("sheet.txt", values)),
        html=templates.fill("sheet.html", values),
        references=references,
        unsubscribe=values["unsubscribe"],
    )


def _sheet_values(shown: Sheet, recipient: str, unsubscribe: str | None) -> dict[str, Any]:
    return {
        "subject": subject_line(shown.subject),
        "preheader": " ".join((*shown.intro[:1], *shown.closing[:1])),
        "sheet": shown,
        "label": shown.label,
        "tone": _TONES[Severity.INFO],
        "closing": shown.closing,
        "recipient": SafeText(recipient),
        "why": shown.why,
        "unsubscribe": unsubscribe,
    }


def _references(message: Message) -> tuple[str, ...]:
    if not isinstance(message, OverflowMessage):
        return ()
    return tuple(dict.fromkeys(alert.incident_id for alert in message.gravest))


def _tidy(words: str) -> str:
    """Return text with at most one blank line in a row and none at the ends."""
    kept: list[str] = []
    for line in words.splitlines():
        if line.strip() or (kept and kept[-1]):
            kept.append(line.rstrip())
    return "\n".join(kept).strip("\n") + "\n"
