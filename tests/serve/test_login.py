"""People log in, change their password and log out; nothing else opens the pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from argon2 import PasswordHasher, extract_parameters
from hypothesis import example, given
from hypothesis import strategies as st

from riskwatch.serve.access import COOKIE, TOKEN_HEADER
from riskwatch.serve.api import ROUTES
from riskwatch.serve.login import LOGINS_PER_MINUTE, next_of
from riskwatch.serve.pages import ACTS
from riskwatch.serve.sessions import LASTS, MOST_TRIES, TRIES_WITHIN
from tests.serve.installation import HOSTILE, Installation, Reader
from tests.serve.people import PASSWORD, Browser, add_user, cheap_hashes, text_of
from tests.serve.test_problems import told

NEW = "quite another sentence"
WRONG = "wrong, though long enough"
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module", autouse=True)
def _cheap_hashes() -> Iterator[None]:
    with cheap_hashes():
        yield


def inhabited(made: Installation) -> Installation:
    """Add one person of each scope, one who is disabled and one with a one-time password."""
    app = made.app
    for scope in ("read", "review", "admin"):
        add_user(app, scope, scope)
    add_user(app, "gone", "admin", disabled_at=app.now())
    add_user(app, "fresh@example.com", "admin", is_one_time=True)
    return made


@pytest.fixture
def peopled(own_installation: Installation) -> Installation:
    """The test may change who there is, and when it is."""
    return inhabited(own_installation)


@pytest.fixture(scope="module")
def town(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """People come and go here, and stay what they are."""
    made = inhabited(installation.copied(tmp_path_factory.mktemp("town")))
    yield made
    made.app.close()


# -------------------------------------------------------------------------------- who is nobody
def test_a_page_leads_to_the_log_in_and_back(town: Installation) -> None:
    browser = Browser(town.flask())

    asked = browser.get("/events?factor=legal&q=a+b")
    answer = browser.log_in("read", to="/events?factor=legal&q=a+b")

    assert (asked.status_code, asked.headers["Location"]) == (
        303,
        "/login?next=%2Fevents%3Ffactor%3Dlegal%26q%3Da%2Bb",
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/events?factor=legal&q=a+b")
    assert browser.get("/events?factor=legal&q=a+b").status_code == 200


def test_the_api_and_programs_get_a_problem_document_not_a_form(town: Installation) -> None:
    client = town.flask().test_client()

    assert "/login" in told(Reader(client, None).get("/v1/vendors"), 401)["detail"]
    told(client.get("/v1/vendors", headers={"Accept": "text/html"}), 401)
    told(client.get("/", headers={"Accept": "*/*"}), 401)
    told(Reader(client, "rw_wrong").get("/v1/vendors"), 401)
    assert Reader(client, "rw_wrong").get("/").status_code == 401  # its key is wrong: no form helps


@pytest.mark.parametrize("held", ["", "x", "A" * 43, "é" * 43, "A" * 4000])
def test_a_made_up_session_opens_nothing(town: Installation, held: str) -> None:
    browser = Browser(town.flask())
    browser.client.set_cookie(COOKIE, held)

    assert not browser.is_in()
    told(browser.get("/v1/vendors"), 401)


# -------------------------------------------------------------------------------- log-in
@pytest.mark.parametrize(
    ("base", "base_url", "is_secure"),
    [
        ("", "http://localhost", False),
        ("", "https://localhost", True),
        ("https://risk.example", "http://localhost", True),
    ],
)
def test_the_cookie_is_for_this_site_and_no_script(
    town: Installation, base: str, base_url: str, is_secure: bool
) -> None:
    browser = Browser(town.flask(base_url=base))
    form = browser.get("/login", base_url=base_url)
    nonce = form.headers["Set-Cookie"].split(";")[0]
    token = text_of(form).split('name="csrf" value="')[1][:64]

    answer = browser.client.post(
        "/login",
        base_url=base_url,
        headers={"Cookie": nonce},
        data={"csrf": token, "name": "read", "password": PASSWORD},
    )

    for headers in (form.headers, answer.headers):
        cookie = headers.getlist("Set-Cookie")[0]
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert ("Secure" in cookie) is is_secure
        assert headers["Cache-Control"] == "no-store"
    assert "Max-Age=43200" in answer.headers.getlist("Set-Cookie")[0]


def test_a_name_is_read_in_either_case_and_pages_say_who_is_there(town: Installation) -> None:
    browser = Browser(town.flask(), " Read ")

    for path in ("/", "/docs", "/vendors/nobody"):
        answer = browser.get(path)
        text = text_of(answer)
        assert answer.headers["Cache-Control"] in ("private, no-cache", "no-store"), path
        assert "Logged in as" in text, path
        assert ">read</a>" in text, path
    assert "Logged in as" not in text_of(Browser(town.flask()).get("/docs"))


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("read", WRONG), ("read", ""), ("read", PASSWORD + " "), ("read", PASSWORD * 20), ("gone", PASSWORD),
        ("nobody", PASSWORD), ("", PASSWORD), ("é", PASSWORD), (HOSTILE, HOSTILE), ("a" * 5000, PASSWORD),
    ],
)  # fmt: skip
def test_whatever_is_wrong_it_is_told_in_the_same_words_and_shown_as_text(
    town: Installation, name: str, password: str
) -> None:
    browser = Browser(town.flask())

    answer = browser.log_in(name, password)

    assert answer.status_code == 401
    assert "Name and password do not go together." in text_of(answer)
    assert "<script>" not in answer.get_data(as_text=True)
    assert not browser.is_in()


def test_nobody_s_password_costs_what_a_wrong_one_costs(
    town: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser(town.flask())
    checked: list[str] = []
    verify = PasswordHasher.verify

    def watched(self: PasswordHasher, stored: str, password: bytes) -> bool:
        checked.append(stored)
        return verify(self, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", watched)

    for name in ("read", "gone", "nobody", HOSTILE):
        browser.log_in(name, WRONG)

    assert len(checked) == 4
    assert all(extract_parameters(one) == extract_parameters(checked[0]) for one in checked)


def test_the_session_is_a_new_one_at_each_log_in_and_never_one_that_was_brought(
    town: Installation,
) -> None:
    flask = town.flask()
    brought = "A" * 43
    browser = Browser(flask)
    browser.client.set_cookie(COOKIE, brought)
    browser.log_in("read")
    first = browser.session
    again = Browser(flask)
    assert first is not None
    browser.client.delete_cookie(COOKIE)
    token = browser.token("/login")
    browser.client.set_cookie(COOKIE, first)

    browser.client.post("/login", data={"csrf": token, "name": "review", "password": PASSWORD})

    assert first != brought
    assert browser.session not in (None, first)
    again.client.set_cookie(COOKIE, first)
    assert not again.is_in()
    assert browser.is_in()


def test_who_is_logged_in_is_not_asked_again(town: Installation) -> None:
    browser = Browser(town.flask(), "read")

    assert browser.get("/login?next=/sources").headers["Location"] == "/sources"


# -------------------------------------------------------------------------------- guesses
@pytest.mark.parametrize("name", ["read", "nobody", "gone"])
def test_after_five_tries_even_the_right_password_waits_whoever_it_is(
    peopled: Installation, name: str
) -> None:
    flask = peopled.flask()
    statuses = [Browser(flask).log_in(name, WRONG).status_code for _ in range(MOST_TRIES)]

    locked = Browser(flask).log_in(name)
    other = Browser(flask).log_in("review")
    peopled.clock.move(peopled.clock() + TRIES_WITHIN)
    later = Browser(flask).log_in(name)

    assert statuses == [401] * MOST_TRIES
    assert locked.status_code == 429
    assert 1 <= int(locked.headers["Retry-After"]) <= 901
    assert other.status_code == 303
    assert later.status_code == (303 if name == "read" else 401)


def test_a_right_password_forgets_the_tries_before(town: Installation) -> None:
    flask = town.flask()
    for _ in range(2):
        for _ in range(MOST_TRIES - 2):
            Browser(flask).log_in("read", WRONG)
        assert Browser(flask).log_in("read").status_code == 303


def test_an_address_may_log_in_ten_times_a_minute(town: Installation) -> None:
    browser = Browser(town.flask())
    token = browser.token("/login")
    given = [
        browser.client.post("/login", data={"csrf": token, "name": f"n{n}", "password": ""}).status_code
        for n in range(LOGINS_PER_MINUTE + 1)
    ]

    assert given == [401] * LOGINS_PER_MINUTE + [429]


def test_a_session_is_counted_as_a_key_is(town: Installation) -> None:
    browser = Browser(town.flask(per_minute=5), "read")  # the form and its sending are counted by address

    assert [browser.get("/v1/vendors").status_code for _ in range(6)] == [200] * 5 + [429]
    assert browser.get("/sources").status_code == 429


# -------------------------------------------------------------------------------- where it leads
@pytest.mark.parametrize(
    "text",
    [
        None, "", "//evil.example", "https://evil.example", "/\\evil.example", "\\/evil.example", "evil",
        "/\t/evil.example", "/\n/evil.example", " //evil.example", "javascript:alert(1)", "/é", "/a b",
        "/login", "/logout", "/password?next=/", "/" + "a" * 2_000,
    ],
)  # fmt: skip
def test_a_log_in_leads_to_no_other_site(text: str | None) -> None:
    assert next_of(text) == "/"


@given(st.text(alphabet="/\\.:@ae?#%\t\n\r \0é;", max_size=12) | st.text(max_size=12))
@example("/vendors/alibaba?as_of=2026-03-06#ledger")
def test_wherever_it_leads_the_host_stays(text: str) -> None:
    led = urlsplit(urljoin("https://risk.example/login", next_of(text)))

    assert (led.scheme, led.netloc) == ("https", "risk.example")


def test_the_log_in_itself_refuses_another_site(town: Installation) -> None:
    flask = town.flask()

    assert Browser(flask).log_in("read", to="//evil.example").headers["Location"] == "/"
    hidden = text_of(Browser(flask).get("/login?next=//evil.example"))
    assert "evil" not in hidden


# -------------------------------------------------------------------------------- ends
def test_a_log_out_ends_the_session_for_good(town: Installation) -> None:
    flask = town.flask()
    browser, thief = Browser(flask, "read"), Browser(flask)
    held = browser.session
    assert held is not None

    answer = browser.post("/logout", form="/sources")

    assert answer.headers["Location"] == "/login"
    assert browser.session is None
    thief.client.set_cookie(COOKIE, held)
    assert not thief.is_in()
    assert browser.client.post("/logout").headers["Location"] == "/login"  # once more does no harm


def test_a_session_lasts_twelve_hours_whatever_is_done(peopled: Installation) -> None:
    browser = Browser(peopled.flask(), "read")
    start = peopled.clock()

    peopled.clock.move(start + LASTS - timedelta(seconds=1))
    assert browser.is_in()
    peopled.clock.move(start + LASTS)
    assert not browser.is_in()


def test_a_new_password_ends_all_other_sessions(peopled: Installation) -> None:
    flask = peopled.flask()
    browser, elsewhere = Browser(flask, "read"), Browser(flask, "read")
    before = browser.session

    answer = browser.change_password(PASSWORD, NEW)

    assert answer.status_code == 303
    assert browser.session not in (None, before)
    assert browser.is_in()
    assert not elsewhere.is_in()
    assert Browser(flask).log_in("read").status_code == 401
    assert Browser(flask).log_in("read", NEW).status_code == 303


def test_disabling_a_person_ends_the_session_at_once(peopled: Installation) -> None:
    flask = peopled.flask()
    browser = Browser(flask, "admin")

    peopled.app.people.disable("admin")
    assert not browser.is_in()
    told(browser.get("/v1/vendors"), 401)

    peopled.app.people.enable("admin")
    assert not browser.is_in()
    assert Browser(flask).log_in("admin").status_code == 303


def test_a_restore_ends_every_session_that_the_backup_held(peopled: Installation, tmp_path: Path) -> None:
    browser, again = Browser(peopled.flask(), "read"), tmp_path / "copy.db"
    held = browser.session
    assert held is not None
    peopled.app.keeping.backup(again)
    browser.post("/logout", form="/sources")

    peopled.app.restore(again)

    thief = Browser(peopled.flask())
    thief.client.set_cookie(COOKIE, held)
    assert not thief.is_in()
    assert Browser(peopled.flask()).log_in("read").status_code == 303


# -------------------------------------------------------------------------------- passwords
def test_a_one_time_password_is_good_for_a_new_one_alone(peopled: Installation) -> None:
    browser = Browser(peopled.flask(), "fresh@example.com")

    asked = browser.get("/events?factor=legal")
    due = told(browser.get("/v1/vendors"), 401)
    shown = text_of(browser.get("/password"))
    answer = browser.post("/password", next="/events", present=PASSWORD, new=NEW, again=NEW)

    assert asked.headers["Location"] == "/password?next=%2Fevents%3Ffactor%3Dlegal"
    assert "must be changed" in due["detail"]
    assert "Choose your own password" in shown
    assert answer.headers["Location"] == "/events"
    assert browser.is_in()


@pytest.mark.parametrize(
    ("present", "new", "again", "fault"),
    [
        (WRONG, NEW, NEW, "is not your present password"),
        (PASSWORD, NEW, NEW + "x", "is not the same"),
        (PASSWORD, PASSWORD, PASSWORD, "choose another"),
        (PASSWORD, "short", "short", "at least 12 characters"),
        (PASSWORD, "a" * 257, "a" * 257, "at most 256"),
        (PASSWORD, "abababababab", "abababababab", "more different characters"),
        (PASSWORD, "I read and read", "I read and read", "leave your name out"),
    ],
)
def test_a_password_is_not_changed_for_one_that_will_not_do(
    town: Installation, present: str, new: str, again: str, fault: str
) -> None:
    browser = Browser(town.flask(), "read")
    held = browser.session

    answer = browser.change_password(present, new, again)

    assert answer.status_code == 422
    assert fault in text_of(answer)
    assert browser.session == held
    assert Browser(town.flask()).log_in("read").status_code == 303


def test_a_stolen_session_cannot_guess_the_password(town: Installation) -> None:
    browser = Browser(town.flask(), "read")

    given = [browser.change_password(WRONG, NEW).status_code for _ in range(MOST_TRIES + 1)]

    assert given == [422] * MOST_TRIES + [429]


# -------------------------------------------------------------------------------- what a session may do
def test_a_session_reads_the_api_and_each_scope_stays_within_its_own(town: Installation) -> None:
    flask = town.flask()

    given = {
        name: [Browser(flask, name).get(path).status_code for path in ("/v1/vendors", "/metrics")]
        for name in ("read", "review", "admin")
    }

    assert given == {"read": [200, 403], "review": [200, 403], "admin": [200, 200]}


def test_a_change_through_the_api_needs_the_token_of_the_session(town: Installation) -> None:
    flask = town.flask()
    browser, reader = Browser(flask, "review"), Browser(flask, "read")
    silence = {"matchers": {"vendor": "mistral"}, "ends_at": "2026-03-12", "reason": "planned"}

    def asked(by: Browser, token: str | None) -> int:
        headers = {} if token is None else {TOKEN_HEADER: token}
        return by.client.post("/v1/silences", json=silence, headers=headers).status_code

    mine = browser.token("/sources")
    assert [asked(browser, token) for token in (None, "", "é", mine[:-1], reader.token("/sources"))] == [
        400
    ] * 5
    assert asked(browser, mine) == 201
    assert asked(reader, reader.token("/sources")) == 403
    assert browser.client.delete("/v1/silences/x").status_code == 400
    assert (
        Reader(browser.client, town.keys["review"]).ask("POST", "/v1/silences", json=silence).status_code
        == 201
    )


def test_whatever_asks_for_more_than_reading_is_forbidden_to_a_reader(town: Installation) -> None:
    flask = town.flask()
    browser = Browser(flask, "read")
    headers = {TOKEN_HEADER: browser.token("/sources")}
    asked = [(route.method, route.path) for route in ROUTES if route.scope != "read"]
    asked += [("POST", act.path) for act in ACTS]

    given = {
        (method, path): browser.client.open(path, method=method, headers=headers).status_code
        for method, path in asked
    }

    assert len(given) > 15
    assert set(given.values()) == {403}


def test_every_post_without_the_token_is_refused(town: Installation) -> None:
    flask = town.flask()
    browser = Browser(flask, "admin")
    paths = [
        rule.build(dict.fromkeys(rule.arguments, "x"))
        for rule in flask.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and rule.rule != "/a/<token>"  # signed itself
    ]

    assert len(paths) > 10
    for built in paths:
        assert built is not None
        assert browser.client.post(built[1], data={"csrf": "0" * 64}).status_code == 400, built
    assert browser.is_in()


def test_the_form_of_another_browser_does_not_log_in(town: Installation) -> None:
    flask = town.flask()
    attacker, victim = Browser(flask), Browser(flask)
    theirs = attacker.token("/login")
    victim.get("/login")

    answer = victim.client.post("/login", data={"csrf": theirs, "name": "read", "password": PASSWORD})

    assert answer.status_code == 400
    assert "allow cookies" in text_of(answer)
    assert victim.session is None


def test_on_this_machine_a_log_in_adds_to_anonymous_reading(town: Installation) -> None:
    flask = town.flask(anonymous_read=True)
    browser = Browser(flask)

    assert browser.is_in()
    assert "Log in</a>" in text_of(browser.get("/"))
    browser.log_in("admin")
    assert ">admin</a>" in text_of(browser.get("/"))
    assert browser.client.post("/v1/silences", json={}).status_code == 400


# -------------------------------------------------------------------------------- what stays behind
def test_no_row_holds_a_session_or_a_password(peopled: Installation) -> None:
    browser = Browser(peopled.flask(), "read")
    browser.change_password(PASSWORD, NEW)
    held = browser.session
    assert held is not None

    files = [file for file in peopled.folder.iterdir() if file.name.startswith("riskwatch.sqlite")]
    written = b"".join(file.read_bytes() for file in files)

    assert b"argon2id" in written
    assert not [secret for secret in (held, PASSWORD, NEW) if secret.encode() in written]


def test_the_audit_log_tells_who_came_when_and_from_where(peopled: Installation) -> None:
    flask = peopled.flask()
    browser = Browser(flask, "read")
    browser.change_password(PASSWORD, NEW)
    browser.post("/logout", form="/sources")
    for _ in range(MOST_TRIES):
        Browser(flask).log_in("nobody", WRONG)
    peopled.app.people.disable("read")

    with peopled.app.store.begin(write=False) as unit:
        lines = [(one.actor, one.action, one.object, one.after) for one in unit.access.audit()[-5:]]
        assert unit.access.verify_audit() is None

    here = {"address": "127.0.0.1"}
    assert lines == [
        ("person:read", "login", "read", here),
        ("person:read", "password.change", "read", here),
        ("person:read", "logout", "read", here),
        ("somebody", "login.locked", "nobody", here),
        ("command line", "person.disable", "read", None),
    ]
    assert PASSWORD not in json.dumps(lines)
