"""A Message → the JSON of a Slack incoming webhook (Block Kit), within our own budgets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from riskwatch.send import text
from riskwatch.send.message import AlertMessage, Links, Message
from riskwatch.send.pages import Pages
from riskwatch.send.reasons import ReasonView
from riskwatch.send.render import AlertView, fitted, headed, view
from riskwatch.send.sheet import Sheet, SheetLine, alert_lines, alerts_over, sheet

MAX_BLOCKS = 20
MAX_CHARS = 10_000
_HEADER_CHARS = 150
_SECTION_CHARS = 600
_FIELD_CHARS = 200
_TEXT_CHARS = 3_000
_LIST_BLOCKS = MAX_BLOCKS - 8  # for the lines of a sheet, beside header, intro, buttons and context
_LINE_CHARS = 160
_MORE_CHARS = 20  # kept free for "and 490 more"
_REASONS = 3
_LINES = (14, 7, 3)  # sections of a list; the first number that fits
_CHANNEL = "<!channel>"

Block = dict[str, Any]


def slack(message: Message, *, links: Links, delivery_id: str, plain: bool = False) -> dict[str, Any]:
    """Return the payload; `plain` is the second try after Slack has refused the blocks."""
    if isinstance(message, AlertMessage) and len(message.alerts) == 1:
        return _alert(message, links, delivery_id, plain)
    made = fitted(
        _LINES,
        lambda lines: _list(message, links, delivery_id, lines),
        fits=lambda made: len(json.dumps(made, ensure_ascii=False)) <= MAX_CHARS,
    )
    return _plain(made) if plain else made


def _payload(words: str, blocks: Sequence[Block], *, mention: bool = False) -> dict[str, Any]:
    told = text.cut(text.slack(words), _TEXT_CHARS)
    called = [{"type": "section", "text": {"type": "mrkdwn", "text": _CHANNEL}}] if mention else []
    return {
        "text": f"{_CHANNEL} {told}" if mention else told,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": [*blocks[:1], *called, *blocks[1:]],
    }


def _plain(made: dict[str, Any]) -> dict[str, Any]:
    """Return the same words without blocks."""
    words = [made["text"], *_words(made["blocks"][1:])]
    return {
        "text": text.cut("\n".join(words), _TEXT_CHARS),
        "unfurl_links": False,
        "unfurl_media": False,
        "parse": "none",
    }


def _words(blocks: Sequence[Block]) -> list[str]:
    found: list[str] = []
    for block in blocks:
        shown = [*block.get("fields", ()), *block.get("elements", ())]
        shown += [block["text"]] if "text" in block else []
        for part in shown:
            if part["type"] == "button":
                found.append(f"{text.slack(part['text']['text'])}: {part['url'].replace('&', '&amp;')}")
            elif part["text"] != _CHANNEL:
                found.append(part["text"] if part["type"] == "mrkdwn" else text.slack(part["text"]))
    return found


# -------------------------------------------------------------------------------- one alert
def _alert(message: AlertMessage, links: Links, delivery_id: str, plain: bool) -> dict[str, Any]:  # noqa: FBT001 - Slack refused the blocks
    (alert,) = message.alerts
    shown = view(alert, links, rows=_REASONS)
    blocks = [
        _header(headed(alert)),
        *([_fields(shown)] if shown.is_scored or shown.exposure else []),
        *([_section(shown.headline)] if not shown.reasons else []),
        *(_section(words) for words in _reasons(shown)),
        *([_section(f"Not counted: {shown.not_counted}.")] if shown.not_counted else []),
        *([_section(words)] if (words := _next(shown)) else []),
        *_actions(shown),
        _context(shown, delivery_id),
    ]
    made = _payload(f"{headed(alert)}: {shown.headline}", blocks, mention=alert.mention_channel)
    return _plain(made) if plain else made


def _fields(shown: AlertView) -> Block:
    known = [
        ("Interval", shown.interval if shown.is_scored else ""),
        ("Confidence", shown.confidence if shown.is_scored else ""),
        ("Exposure", shown.exposure.rstrip(".") or text.UNKNOWN),
        (f"In {shown.within}" if shown.within else "Moved", shown.movement if shown.is_scored else ""),
    ]
    return {
        "type": "section",
        "fields": [
            {"type": "mrkdwn", "text": text.cut(f"*{name}* {text.slack(words)}", _FIELD_CHARS)}
            for name, words in known
            if words
        ],
    }


def _reasons(shown: AlertView) -> list[str]:
    told = [_reason(reason) for reason in shown.reasons]
    more = _more(shown)
    if told and more:
        told[-1] = f"{text.cut(told[-1], _SECTION_CHARS - len(more) - 2)}. {text.capital(more)}"
    return told


def _reason(reason: ReasonView) -> str:
    return f"{reason.points} {reason.factor}: {text.cut(reason.heading, 200)} ({reason.said})"


def _more(shown: AlertView) -> str:
    parts = []
    if shown.rest:
        points = ", ".join(shown.rest.each) or f"{shown.rest.points} together"
        parts.append(f"and {shown.rest.number:,} more: {points}")
    if shown.baseline:
        parts.append(f"{shown.baseline_short} {shown.baseline}")
    return "; ".join(parts)


def _next(shown: AlertView) -> str:
    parts = [shown.note, f"Next: {shown.next_steps}" if shown.next_steps else ""]
    parts.append(f"Owner: {shown.owner}." if shown.owner else "")
    return " ".join(part for part in parts if part)


def _actions(shown: AlertView) -> list[Block]:
    wanted = [action for action in shown.actions if action.label.startswith(("Open", "Acknowledge"))]
    return _buttons([(action.label.split(" ", 1)[0], action.url) for action in wanted])


def _context(shown: AlertView, delivery_id: str) -> Block:
    fresh = shown.sources.replace(" of ", "/")
    parts = (
        f"as of {shown.as_of}",
        shown.rule,
        f"sources {fresh} fresh" if fresh else "",
        f"result {shown.result}" if shown.result else "",
        delivery_id,
    )
    return _small(" · ".join(part for part in parts if part))


# -------------------------------------------------------------------------------- lists
def _list(message: Message, links: Links, delivery_id: str, lines: int) -> dict[str, Any]:
    if isinstance(message, AlertMessage):
        return _several(message, links, delivery_id, lines)
    shown = sheet(message, links, rows=lines)
    blocks = [
        _header(f"{shown.label}: {shown.title}" if shown.label not in shown.title else shown.title),
        *(_section(words) for words in shown.intro[:3]),
        *_sections(shown, lines),
        *_buttons([(shown.action.label, shown.action.url)] if shown.action else []),
        _small(" · ".join((*shown.closing, delivery_id))),
    ]
    return _payload(shown.subject, blocks)


def _several(message: AlertMessage, links: Links, delivery_id: str, lines: int) -> dict[str, Any]:
    told, pages = alerts_over(message.alerts), Pages(links.base_url)
    listed = alert_lines(message.alerts, pages, lines)
    blocks = [
        _header(told),
        *(_section(_alert_words(message, n, links, line)) for n, line in enumerate(listed.lines)),
        *([_section(f"and {listed.more:,} more")] if listed.more else []),
        *_buttons([("Open", pages.of("alerts"))]),
        _small(f"as of {text.instant(max(alert.as_of for alert in message.alerts))} · {delivery_id}"),
    ]
    gravest = ", ".join(headed(alert) for alert in message.alerts[:3])
    is_loud = any(alert.mention_channel for alert in message.alerts)
    return _payload(f"{told}: {gravest}", blocks, mention=is_loud)


def _alert_words(message: AlertMessage, n: int, links: Links, line: SheetLine) -> str:
    shown = view(message.alerts[n], links, rows=_REASONS)
    reasons = "; ".join(f"{reason.points} {text.cut(reason.heading, 80)}" for reason in shown.reasons)
    more = _more(shown)
    why = "; ".join(part for part in (reasons, more) if part)
    return text.cut(f"{line.name}: {line.words}" + (f". {why}" if why else ""), 500)


def _sections(shown: Sheet, lines: int) -> list[Block]:
    """Return the sections of the sheet, each in as many blocks as the budget of blocks leaves it."""
    most = max(_LIST_BLOCKS // max(len(shown.sections), 1), 1)
    blocks = []
    for section in shown.sections:
        chunks, told = [section.heading], 0
        for line in section.lines[:lines]:
            words = text.cut(f"{line.points} {line.name}: {line.words}".strip(), _LINE_CHARS)
            if len(chunks[-1]) + len(words) + 1 > _SECTION_CHARS - _MORE_CHARS:
                if len(chunks) == most:
                    break
                chunks.append(words)
            else:
                chunks[-1] += f"\n{words}"
            told += 1
        if left := section.more + len(section.lines) - told:
            chunks[-1] += f"\nand {left:,} more"
        blocks += [_section(chunk) for chunk in chunks]
    return blocks


# -------------------------------------------------------------------------------- blocks
def _section(words: str) -> Block:
    return {"type": "section", "text": _words_of(words, _SECTION_CHARS)}


def _header(words: str) -> Block:
    return {"type": "header", "text": _words_of(words, _HEADER_CHARS)}


def _small(words: str) -> Block:
    return {"type": "context", "elements": [_words_of(words, _SECTION_CHARS)]}


def _words_of(words: str, limit: int) -> Block:
    """Return plain text: nothing in it can mention, link or style."""
    return {"type": "plain_text", "emoji": False, "text": text.cut(words, limit)}


def _buttons(links: Sequence[tuple[str, str]]) -> list[Block]:
    """Return the link buttons; all of them open a page of ours."""
    elements = [{"type": "button", "text": _words_of(label, 75), "url": url} for label, url in links if url]
    return [{"type": "actions", "elements": elements}] if elements else []
