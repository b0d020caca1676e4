"""The Qwen departures of March 2026 through the poller: who is told what, and when."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from riskwatch.model import vendor_of
from riskwatch.store import IncidentFilter
from tests.collect.sites import serving
from tests.collect.test_tls import a_certificate, an_authority
from tests.scenarios.station import Outlet, Station
from tests.send.peers import hooking, relaying

pytestmark = pytest.mark.slow
BEFORE = datetime(2026, 2, 24, 6, 0, tzinfo=UTC)
TIERS = {"seed-000": "1", "seed-001": "2", "seed-002": "2", "seed-003": "3", "seed-004": "3"}  # A B C D E
GOLDEN = Path(__file__).parent.parent / "golden" / "qwen"
NAMED = (
    "Alibaba names Hao Zhou technical lead of Qwen",
    "Alibaba has appointed Hao Zhou as technical lead of its Qwen team, the company said on Saturday.",
)
ALERTS: dict[str, Any] = {
    "rules": [
        {"id": "event-material", "name": "Material event", "severity": "warning", "scope": {"all": True},
         "condition": {"kind": "event", "types": ["*"], "min_points": 3, "min_credibility": 0.5}},
        {"id": "grade-down", "name": "Grade fell", "severity": "warning", "scope": {"all": True},
         "condition": {"kind": "grade_change", "direction": "down", "margin": 2}},
        {"id": "week-fall", "name": "Fall within a week", "severity": "warning", "scope": {"all": True},
         "condition": {"kind": "score_drop", "points": 8, "window": "7d", "baseline": "max"}},
    ],
    "receivers": [
        {"id": "procurement-mail", "kind": "email", "to": ["procurement@example.com"]},
        {"id": "procurement-slack", "kind": "slack", "secret": "slack_procurement"},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def told(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    folder = tmp_path_factory.mktemp("qwen")
    authority = an_authority(folder, "relay-authority")
    with pytest.MonkeyPatch.context() as patch, relaying(a_certificate(authority, "relay")) as relay:
        patch.setenv("SSL_CERT_FILE", str(authority))
        with hooking() as hook, serving() as feeds:
            yield played(Station(folder, BEFORE, site=feeds, relay=relay, hook=hook, alerts=ALERTS), shared)


def played(station: Station, shared: Path) -> Station:
    rows = [json.loads(line) for line in (shared / "seeds" / "seeds.jsonl").read_text().splitlines()]
    outlets = {row["id"]: Outlet(row["id"], TIERS[row["id"]]) for row in rows}
    for outlet in outlets.values():
        outlet.items += [quiet(outlet.id, n) for n in range(12)]
    station.open(*outlets.values())
    station.run(datetime(2026, 3, 4, 9, 0, tzinfo=UTC), step=timedelta(hours=6))
    for row in sorted(rows, key=lambda row: row["published"]):
        at = datetime.fromisoformat(row["published"])
        station.run(at, step=timedelta(hours=6))
        outlets[row["id"]].items.append(an_item(row["id"], row["title"] or "", row["text"], at))
        station.run(at + timedelta(minutes=30))
    station.run(datetime(2026, 3, 7, 9, 0, tzinfo=UTC), step=timedelta(hours=6))
    outlets["seed-000"].items.append(an_item("named", *NAMED, station.clock.at))
    station.run(datetime(2026, 3, 7, 9, 30, tzinfo=UTC))
    return station


def quiet(outlet: str, n: int) -> dict[str, str]:
    """An article on the line in which nothing happens: it only shows that somebody watches."""
    text = f"Part {n} of our notes on running Alibaba's Qwen models, by {outlet}."
    return an_item(f"quiet-{n}", f"Notes on Qwen, part {n}", text, BEFORE - timedelta(days=5 * n + 1))


def an_item(id_: str, title: str, text: str, at: datetime) -> dict[str, str]:
    return {"id": id_, "title": title, "text": text, "published": format_datetime(at)}


def plain(text: str) -> str:
    """Return a message without what differs from run to run: ids, tokens, digests."""
    text = re.sub(r"/a/[\w.-]+", "/a/TOKEN", text)
    ids = list(dict.fromkeys(re.findall(r"\b01[0-9A-Z]{24}\b", text)))
    for n, id_ in enumerate(ids):
        text = text.replace(id_, f"ID{n}")
    return re.sub(r"\b[0-9a-f]{32}\b", "RESULT", text)


def compare(name: str, text: str, *, update: bool) -> None:
    file = GOLDEN / name
    if update:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def test_one_mail_and_one_slack_message_open_the_incident(told: Station) -> None:
    opened = [mail for mail in told.mails() if "Update" not in mail["subject"]]
    first = json.loads(told.hook.asked[0].body)

    assert [mail["to"] for mail in opened] == ["procurement@example.com"]
    assert "Alibaba/Qwen" in opened[0]["subject"]
    assert "Junyang Lin" in opened[0]["subject"]
    assert first["text"] in opened[0]["subject"]
    assert len(told.hook.asked) == len(told.mails())


def test_the_alert_comes_within_minutes_of_the_article_that_makes_it_credible(told: Station) -> None:
    second = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)

    assert second < parsedate_to_datetime(told.mails()[0]["date"]) <= second + timedelta(minutes=30)


def test_an_update_tells_that_the_replacement_is_confirmed(told: Station) -> None:
    last = told.mails()[-1]

    assert last["subject"].startswith("[riskwatch] Update: Alibaba/Qwen")
    assert "Hao Zhou" in last["subject"]
    assert "part of it is eased" in part(last, "plain")
    assert last["references"] == told.mails()[0]["references"]


def test_nothing_is_said_of_the_others_whom_the_articles_name(told: Station) -> None:
    with told.app.store.begin(write=False) as unit:
        incidents = unit.incidents.incidents(IncidentFilter(states=("firing", "recovering", "ok"), limit=200))

    assert {vendor_of(incident.subject) for incident in incidents} == {"alibaba"}


def test_the_article_with_the_wrong_date_neither_opens_nor_reopens(told: Station) -> None:
    assert "one outlet says 9 Jun 2025" in part(told.mails()[0], "plain")
    assert all(parsedate_to_datetime(mail["date"]).day >= 5 for mail in told.mails())


@pytest.mark.parametrize(("number", "name"), [(0, "opened"), (-1, "replaced")])
def test_the_messages_are_as_the_golden_files_show(
    told: Station, number: int, name: str, update_golden: bool
) -> None:
    mail, slack = told.mails()[number], json.loads(told.hook.asked[number].body)

    text = f"Subject: {mail['subject']}\n\n{part(mail, 'plain')}"
    compare(f"{name}.mail.txt", plain(text), update=update_golden)
    compare(f"{name}.mail.html", plain(part(mail, "html")), update=update_golden)
    compare(
        f"{name}.slack.json", plain(json.dumps(slack, indent=1, ensure_ascii=False)), update=update_golden
    )
