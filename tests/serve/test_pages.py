"""The pages on a small installation: they show what the API answers, and text from outside stays text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from riskwatch.model import Assertion, Claim, DateClaim, EventState, Grade, Poll, Snapshot, subjects_of
from tests.serve.installation import DAY, NOW, Installation, Reader, config_of
from tests.store.builders import a_score, an_event

MINUS = "\u2212"
QWEN = "/vendors/alibaba/qwen"
LISTINGS = ("/", "/events", "/sources", "/methodology", "/docs")
VOID = {"meta", "link", "input", "br", "line", "circle", "rect", "polyline", "path", "img", "hr"}


class Checked(HTMLParser):
    """A page read tag by tag: what is open, what a policy forbids, what readers rely on."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.tags: list[tuple[str, Mapping[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.wrong += [f"{tag} {name}" for name, _ in attrs if name == "style" or name.startswith("on")]
        self.wrong += [
            f"{tag} {value}" for _, value in attrs if (value or "").lower().startswith("javascript:")
        ]
        if tag == "style" or (tag == "script" and not dict(attrs).get("src")):
            self.wrong.append(f"inline {tag}")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes nothing")

    def of(self, tag: str) -> list[Mapping[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def fetched(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path, headers={"Accept": "text/html"})
    text = answer.get_data(as_text=True)
    assert answer.status_code == status, (path, text[:400])
    assert answer.mimetype == "text/html"
    return text


def checked(text: str) -> Checked:
    page = Checked(text)
    assert not page.wrong
    assert not page.open
    assert len(page.of("h1")) == 1
    assert all(attributes.get("scope") for attributes in page.of("th"))
    labelled = {attributes.get("for") for attributes in page.of("label")}
    for attributes in page.of("input"):
        is_wrapped = attributes.get("type") in ("checkbox", "hidden")
        assert is_wrapped or attributes.get("id") in labelled
    assert ("a", "#main") in [(tag, attributes.get("href")) for tag, attributes in page.tags]
    return page


@pytest.fixture(scope="module")
def client(installation: Installation) -> FlaskClient:
    return installation.flask(anonymous_read=True, anonymous_per_minute=1_000_000).test_client()


@pytest.fixture
def own_client(own_installation: Installation) -> FlaskClient:
    return own_installation.flask(anonymous_read=True, anonymous_per_minute=1_000_000).test_client()


def events_of(reader: Reader, subject: str) -> list[Any]:
    return list(reader.json(f"/v1/events?subject={subject}&limit=200")["items"])


# -------------------------------------------------------------------------------- every page
@pytest.mark.parametrize(
    "path",
    [
        *LISTINGS,
        QWEN,
        "/vendors/alibaba",
        "/vendors/mistral",
        f"{QWEN}?as_of=2026-03-06&known_at=2026-03-05",
        f"{QWEN}?span=all",
        f"{QWEN}?span=365",
        "/?q=qwen",
        "/?q=nobody",
        "/?as_of=2026-03-04",
        "/?known_at=2026-03-04",
        "/?order=score",
        "/?order=name&q=alibaba",
        "/events?vendor=alibaba&type=leadership_exit",
        "/events?vendor=anthropic&type=lawsuit",
    ],
)
def test_every_page_is_whole_and_needs_no_inline_script_or_style(client: FlaskClient, path: str) -> None:
    checked(fetched(client, path))


def test_every_event_and_subject_has_a_page(client: FlaskClient, reader: Reader) -> None:
    for subject in ("alibaba", "mistral"):
        for event in events_of(reader, subject):
            checked(fetched(client, f"/events/{event['id']}"))
    for vendor in ("alibaba", "mistral", "anthropic"):
        for row in (
            vendor,
            *(f"{vendor}/{p['id']}" for p in reader.json(f"/v1/vendors/{vendor}")["profiles"]),
        ):
            checked(fetched(client, f"/vendors/{row}"))


@pytest.mark.parametrize(
    ("path", "status", "advice"),
    [
        ("/vendors/nobody", 404, "search above"),
        ("/vendors/alibaba/nothing", 404, "search above"),
        ("/events/01NOBODY", 404, "search above"),
        ("/nowhere", 404, "search above"),
        ("/?as_of=2026-02-30", 422, "2026-03-05"),
        (f"{QWEN}?known_at=yesterday", 422, "2026-03-05"),
        (f"{QWEN}?span=ever", 422, "180"),
        (f"{QWEN}?without=01NOBODY", 422, "takes a point"),
        ("/events?type=nothing", 422, "event type"),
        ("/?order=luck", 422, "fall"),
    ],
)
def test_a_wrong_address_gets_a_page_with_advice(
    client: FlaskClient, path: str, status: int, advice: str
) -> None:
    text = fetched(client, path, status)

    checked(text)
    assert advice in text


def test_an_empty_installation_says_what_to_do(tmp_path: Path) -> None:
    from riskwatch.app import App
    from riskwatch.replay import Clock

    app = App(config_of(tmp_path), now=Clock(NOW))
    empty = Installation(tmp_path, app, Clock(NOW), {}).flask(anonymous_read=True).test_client()

    text = fetched(empty, "/")
    app.close()

    checked(text)
    assert "No score has been computed yet" in text
    assert "riskwatch poll" in text
    assert "stale" not in text


# -------------------------------------------------------------------------------- numbers
def cells(text: str, name: str) -> list[str]:
    """Return the words of the cells of a class in the ledger."""
    table = text.split('class="ledger"')[1].split("</table>", maxsplit=1)[0]
    return [
        unescape(re.sub("<[^>]*>", "", cell)).strip()
        for cell in re.findall(rf'<td role="cell" class="num c-num {name}[^"]*"[^>]*>(.*?)</td>', table)
    ]


def number(text: str) -> int:
    """Return a printed figure in tenths."""
    return round(10 * float(text.replace(MINUS, "-")))


def test_the_printed_points_add_up_to_the_printed_score_for_every_subject(
    client: FlaskClient, reader: Reader, installation: Installation
) -> None:
    vendors = installation.app.config.vendors
    subjects = [s for id_ in ("alibaba", "mistral", "openai", "suno") for s in subjects_of(vendors[id_])]
    summed = 0
    for subject in subjects:
        text = fetched(client, f"/vendors/{subject}")
        line = subject.partition("/")[2]
        told = reader.json(
            f"/v1/vendors/{subject.partition('/')[0]}{f'/lines/{line}' if line else ''}/explain"
        )
        if told["score"] is None:
            continue
        column = [cell for cell in cells(text, "pts") if cell != "eases"]
        assert 1000 + sum(map(number, column[:-1])) == number(column[-1])
        assert column[-1] == f"{told['score']:.1f}"
        assert len(column) == 2 + len(told["contributions"])
        summed += 1
    assert summed >= 4


def test_a_page_shows_the_numbers_of_the_api(client: FlaskClient, reader: Reader) -> None:
    told = reader.json("/v1/vendors/alibaba/lines/qwen/explain")
    text = fetched(client, QWEN)

    assert f'<span class="figure">{told["score"]:.1f}</span>' in text
    assert cells(text, "pts")[1:-1] == [
        f"{MINUS}{c['printed_points']:.1f}" if c["printed_points"] else "0.0" for c in told["contributions"]
    ]
    assert cells(text, "alt c-alt")[1:-1] == [f"{c['score_without']:.1f}" for c in told["contributions"]]
    assert told["result_id"] in text
    assert all(c["quote"] in unescape(text) for c in told["contributions"])


def test_the_overview_shows_the_scores_of_the_listing(client: FlaskClient, reader: Reader) -> None:
    text = fetched(client, "/")
    listed = {row["subject"]: row for page in reader.pages("/v1/scores", 200) for row in page}
    shown = re.findall(
        r'href="/vendors/([^"]+)">.*?<td role="cell" class="num sc hide">([^<]*)</td>', text, re.DOTALL
    )
    table = dict(shown[-len(listed) :])

    for subject, words in list(table.items())[-50:]:
        score = listed[subject]["score"]
        assert words == ("—" if score is None else f"{score:.1f}")


def test_the_overview_of_the_whole_register_stays_small(client: FlaskClient) -> None:
    answer = client.get("/", headers={"Accept": "text/html", "Accept-Encoding": "gzip"})

    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.get_data()) < 50_000


def test_no_page_prints_a_negative_zero(client: FlaskClient, reader: Reader) -> None:
    paths = [
        *LISTINGS,
        QWEN,
        "/vendors/alibaba",
        *(f"/events/{e['id']}" for e in events_of(reader, "alibaba")),
    ]
    for path in paths:
        assert not re.search(rf"[-{MINUS}]0\.0(?![0-9])", fetched(client, path)), path


def test_the_company_stands_beside_its_line(client: FlaskClient, reader: Reader) -> None:
    company = {c["event"]: c for c in reader.json("/v1/vendors/alibaba/explain")["contributions"]}
    line = reader.json("/v1/vendors/alibaba/lines/qwen/explain")["contributions"]
    beside = cells(fetched(client, QWEN), "alt wide-only")

    assert beside[1:-1] == [
        f"{MINUS}{company[c['event']]['printed_points']:.1f}" if c["event"] in company else "—" for c in line
    ]
    assert cells(fetched(client, "/vendors/alibaba"), "alt wide-only") == []


def test_a_subject_that_is_not_rated_shows_a_dash_and_no_number(
    own_installation: Installation, own_client: FlaskClient
) -> None:
    score = a_score("alibaba", as_of=NOW, known_at=NOW, points=None, grade=Grade.NR)
    with own_installation.app.store.begin() as unit:
        unit.scores.add_snapshots([Snapshot("01UNRATED", score, "change", NOW + timedelta(seconds=1))])

    text = fetched(own_client, "/vendors/alibaba")

    checked(text)
    assert '<span class="figure">—</span>' in text
    assert "Alibaba is not rated" in text
    assert 'class="ledger"' not in text
    assert "On record nevertheless" in text
    assert "Junyang Lin leaves" in text
    assert f"{score.internal_points:.1f}" not in text.split('id="main"')[1]


# -------------------------------------------------------------------------------- order and time
def put(own: Installation, subject: str, points: float, days: int) -> None:
    at = NOW - days * DAY + timedelta(minutes=1)
    score = a_score(subject, as_of=at, points=points)
    with own.app.store.begin() as unit:
        unit.scores.add_snapshots([Snapshot(f"01{subject.upper()}{days}", score, "change", at)])


def test_the_largest_fall_is_the_story_although_a_rise_is_larger(
    own_installation: Installation, own_client: FlaskClient
) -> None:
    for subject, before, after in (("cohere", 50.0, 90.0), ("anthropic", 80.0, 70.0), ("xai", 80.0, 75.0)):
        put(own_installation, subject, before, 8)
        put(own_installation, subject, after, 0)

    text = fetched(own_client, "/")
    rows = re.findall(r'<th role="rowheader" scope="row"><a class="quiet" href="/vendors/([^"/]+)">', text)

    title = re.search("<h1>(.*?)</h1>", text)
    assert title
    assert "lost" in title[1]
    assert rows.index("anthropic") < rows.index("xai") < rows.index("cohere")


def test_lines_stand_under_their_vendor_also_when_they_are_not_rated(
    own_installation: Installation, own_client: FlaskClient
) -> None:
    score = a_score("alibaba/qwen", as_of=NOW, points=None, grade=Grade.NR)
    with own_installation.app.store.begin() as unit:
        unit.scores.add_snapshots([Snapshot("01LINE", score, "change", NOW + timedelta(seconds=1))])

    text = fetched(own_client, "/")
    rows = re.findall(r'<th role="rowheader" scope="row"><a class="quiet" href="/vendors/([^"]+)">', text)
    family = [row.split("/")[0] for row in rows]

    assert "alibaba/qwen" in rows
    place = family.index("alibaba")
    assert family[place : place + family.count("alibaba")] == ["alibaba"] * family.count("alibaba")


def test_a_past_day_shows_the_snapshots_of_that_day(client: FlaskClient, installation: Installation) -> None:
    text = fetched(client, f"/?as_of={NOW - 6 * DAY:%Y-%m-%d}")
    with installation.app.store.begin(write=False) as unit:
        then = unit.scores.latest("alibaba/qwen", known_at=(NOW - 6 * DAY).replace(hour=23, minute=59))
        now = unit.scores.latest("alibaba/qwen")

    assert then
    assert now
    assert then.score.points != now.score.points
    row = text.split('href="/vendors/alibaba/qwen?')[-1].split("</tr>")[0]
    assert f'<td role="cell" class="num sc hide">{then.score.points:.1f}</td>' in row
    assert "known_at" in text or "as_of=" in text


def test_an_event_page_tells_only_what_was_known(client: FlaskClient, reader: Reader) -> None:
    id_ = next(e["id"] for e in events_of(reader, "alibaba") if e["type"] == "leadership_exit")

    assert "Junyang Lin leaves" in fetched(client, f"/events/{id_}?known_at=2026-03-06")
    fetched(client, f"/events/{id_}?known_at=2026-03-01", 404)


def test_what_if_shows_both_scores_and_stores_nothing(client: FlaskClient, reader: Reader) -> None:
    before = reader.json("/v1/vendors/alibaba/lines/qwen/explain")
    dropped = before["contributions"][0]

    text = fetched(client, f"{QWEN}?without={dropped['event']}")

    checked(text)
    assert f"{dropped['score_without']:.1f} instead of {before['score']:.1f}" in text
    assert reader.json("/v1/vendors/alibaba/lines/qwen/explain") == before


def test_the_credibility_of_the_last_outlet_is_that_of_the_event(client: FlaskClient, reader: Reader) -> None:
    told = reader.json("/v1/vendors/alibaba/lines/qwen/explain")["contributions"][0]

    text = fetched(client, f"/events/{told['event']}")

    so_far = re.findall("credibility so far ([.0-9]+)", text)
    assert so_far[-1] == f"{told['credibility']:.3f}".removeprefix("0")
    assert "How it was found" in text


# -------------------------------------------------------------------------------- hostile text
HOSTILE = '<script>alert(1)</script> "quoted" \' \u202e\u2067 {{7*7}} <img src=x onerror=alert(1)>'


def test_text_from_outside_stays_text(own_installation: Installation, own_client: FlaskClient) -> None:
    claim = Claim(
        "s9", "a9", HOSTILE, HOSTILE, "2", Assertion.CONFIRMED, claimed_at=NOW - DAY, told_at=NOW - DAY,
        recorded_at=NOW, quote=HOSTILE, rule=HOSTILE,
    )  # fmt: skip
    event = an_event(
        "01HOSTILE",
        type="leadership_exit",
        vendor="alibaba",
        home="alibaba/qwen",
        object=HOSTILE,
        attributes={"person": HOSTILE, "role": "ceo"},
        assertion=Assertion.CONFIRMED,
        state=EventState.LIVE,
        occurred_at=NOW - DAY,
        claims=(claim,),
        date_conflicts=(DateClaim("a9", HOSTILE, NOW - 90 * DAY, HOSTILE, 89),),
    )
    with own_installation.app.store.begin() as unit:
        unit.events.save_events([event], now=NOW)

    for path in (
        "/events/01HOSTILE",
        "/events",
        f"{QWEN}?as_of=2026-03-10",
        "/vendors/alibaba?as_of=2026-03-10",
    ):
        text = fetched(own_client, path)
        page = checked(text)
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "{{7*7}}" in text
        if path != "/events":
            assert 'id="dates"' in text
            assert "89 days<br>apart" in text
        assert not [
            a for a in page.of("a") if (a.get("href") or "").lower().startswith(("javascript", "data"))
        ]


def test_an_occurrence_has_a_time_only_where_it_is_known_to_the_instant(
    own_installation: Installation, own_client: FlaskClient
) -> None:
    at = NOW.replace(hour=7, minute=31)
    with own_installation.app.store.begin() as unit:
        unit.events.save_events(
            [
                an_event(
                    f"01{precision.upper()}",
                    type="leadership_exit",
                    occurred_at=at,
                    date_precision=precision,
                    object=precision,
                )
                for precision in ("instant", "day", "published")
            ],
            now=NOW,
        )

    assert "<dt>When</dt><dd><b>10 Mar 2026 07:31</b>" in fetched(own_client, "/events/01INSTANT")
    assert "<dt>When</dt><dd><b>10 Mar 2026</b>" in fetched(own_client, "/events/01DAY")
    assert "<dt>When</dt><dd><b>10 Mar 2026</b>" in fetched(own_client, "/events/01PUBLISHED")


# -------------------------------------------------------------------------------- sources
def test_a_banner_says_that_sources_are_stale(own_installation: Installation) -> None:
    own_installation.clock.move(NOW + 20 * DAY)

    text = fetched(own_installation.flask(anonymous_read=True).test_client(), "/methodology")

    total = len(own_installation.app.sources)
    assert f"<b>Sources are stale.</b> {total} of {total}" in text


def test_no_banner_stands_where_sources_answer(own_installation: Installation) -> None:
    app = own_installation.app
    with app.store.begin() as unit:
        unit.articles.add_polls(
            [Poll(f"{s.id}-now", s.id, NOW, 5, "ok", "", 200, 10, 0, 0) for s in app.sources]
        )

    text = fetched(own_installation.flask(anonymous_read=True).test_client(), "/methodology")

    assert "Sources are stale" not in text
    assert f"{len(app.sources)} of {len(app.sources)} sources fresh" in text
