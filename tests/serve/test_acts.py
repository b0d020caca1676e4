"""What people do on the pages: the same as through the API, under their own names."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from riskwatch.model import Silence
from tests.serve.installation import HOSTILE, Installation
from tests.serve.people import Browser, add_user, cheap_hashes, text_of
from tests.serve.test_alerts_pages import material


@pytest.fixture(scope="module", autouse=True)
def _cheap_hashes() -> Iterator[None]:
    with cheap_hashes():
        yield


@pytest.fixture
def page(own_installation: Installation) -> str:
    for scope in ("read", "review"):
        add_user(own_installation.app, scope, scope)
    return f"/incidents/{material(own_installation.app).id}"


def silences(installation: Installation) -> list[Silence]:
    with installation.app.store.begin(write=False) as unit:
        return list(unit.incidents.silences())


def test_an_incident_is_acknowledged_by_whoever_may(own_installation: Installation, page: str) -> None:
    browser = Browser(own_installation.flask(), "review")

    answer = browser.post(f"{page}/acknowledge", form=page, reason="we called them")

    assert (answer.status_code, answer.headers["Location"]) == (303, page)
    assert "acknowledged" in text_of(browser.get(page))
    held = material(own_installation.app)
    assert (held.acked_by, held.ack_note) == ("person:review", "we called them")
    with own_installation.app.store.begin(write=False) as unit:
        line = unit.access.audit()[-1]
    assert (line.actor, line.action) == ("person:review", "incident.acknowledge")


def test_an_incident_is_silenced_for_the_days_chosen_with_a_reason(
    own_installation: Installation, page: str
) -> None:
    browser, incident = Browser(own_installation.flask(), "review"), material(own_installation.app)
    before = silences(own_installation)

    browser.post(
        f"{page}/silence", form=page, days="7", reason=HOSTILE.replace("\r\n", " ").replace("\u202e", "")
    )

    (made,) = [one for one in silences(own_installation) if one not in before]
    assert made.matchers == {"rule": incident.rule_id, "subject": incident.subject}
    assert made.ends_at - made.starts_at == timedelta(days=7)
    assert made.author == "person:review"
    assert "<script>alert" not in browser.get("/alerts").get_data(as_text=True)


@pytest.mark.parametrize(
    ("days", "reason", "told"),
    [
        ("7", " ", "say why"),
        ("400", "x", "choose one of"),
        ("", "x", "choose one of"),
        ("7", "a\nb", "reason"),
    ],
)
def test_a_silence_without_reason_or_end_is_none(
    own_installation: Installation, page: str, days: str, reason: str, told: str
) -> None:
    browser, before = Browser(own_installation.flask(), "review"), silences(own_installation)

    answer = browser.post(f"{page}/silence", form=page, days=days, reason=reason)

    assert answer.status_code == 422
    assert told in text_of(answer)
    assert silences(own_installation) == before


def test_whoever_only_reads_sees_no_button_and_has_none(own_installation: Installation, page: str) -> None:
    browser, before = Browser(own_installation.flask(), "read"), material(own_installation.app)

    assert "<button>Acknowledge" not in text_of(browser.get(page))
    for act in ("acknowledge", "silence"):
        assert browser.post(f"{page}/{act}", form=page, days="7", reason="x").status_code == 403
    assert material(own_installation.app) == before


def test_no_such_incident_is_not_found(own_installation: Installation, page: str) -> None:
    browser = Browser(own_installation.flask(), "review")

    for act in ("acknowledge", "silence"):
        assert browser.post(f"/incidents/none/{act}", form=page, days="7", reason="x").status_code == 404
