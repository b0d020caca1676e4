"""People log in by an identity provider; nobody else does, and nobody as somebody else."""

from __future__ import annotations

import hmac
import json
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from joserfc import jwt

from riskwatch import web
from riskwatch.environment import read_settings, shown
from riskwatch.errors import ConfigError, ConfigErrors, Conflict
from riskwatch.serve.access import COOKIE, TOKEN_HEADER
from riskwatch.serve.login import LOGINS_PER_MINUTE
from riskwatch.serve.sessions import LASTS
from riskwatch.serve.sso import LASTS as TICKET_LASTS
from riskwatch.serve.sso import TICKET
from riskwatch.store import User
from tests.serve.installation import HOSTILE, Installation
from tests.serve.people import PASSWORD, Browser, add_user, cheap_hashes, text_of
from tests.serve.provider import (
    ANN,
    BASE,
    CLIENT,
    KEY,
    OTHER_KEY,
    SECRET,
    Provider,
    back_from,
    come_in,
    providing,
    query_of,
)

NAME = "ann@example.com"
BACK = "/login/sso/back"


@pytest.fixture(autouse=True)
def _cheap_hashes() -> Iterator[None]:
    with cheap_hashes():
        yield


@pytest.fixture
def provider(own_installation: Installation) -> Iterator[Provider]:
    with providing(own_installation.clock) as made:
        yield made


@pytest.fixture
def browser(own_installation: Installation, provider: Provider) -> Browser:
    return Browser(own_installation.flask(**provider.ways()))


@pytest.fixture(scope="module")
def empty(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Nobody ever comes in here."""
    made = installation.copied(tmp_path_factory.mktemp("empty"))
    yield made
    made.app.close()


@pytest.fixture
def liar(empty: Installation) -> Iterator[Provider]:
    """The provider of the installation where nobody ever comes in."""
    with providing(empty.clock) as made:
        yield made


@pytest.fixture
def stranger(empty: Installation, liar: Provider) -> Browser:
    return Browser(empty.flask(**liar.ways()))


def user_of(installation: Installation, name: str = NAME) -> User | None:
    with installation.app.store.begin(write=False) as unit:
        return unit.access.user(name)


def audited(installation: Installation, last: int) -> list[tuple[str, str, str, Any]]:
    with installation.app.store.begin(write=False) as unit:
        assert unit.access.verify_audit() is None
        return [(one.actor, one.action, one.object, one.after) for one in unit.access.audit()[-last:]]


def refused(browser: Browser, answer: Any, words: str) -> None:
    """Nobody came in; the log-in says why, and may be tried again."""
    assert answer.status_code == 401
    assert words in text_of(answer)
    assert 'href="/login/sso?next=' in answer.get_data(as_text=True)
    assert browser.session is None
    assert not browser.is_in()


# -------------------------------------------------------------------------------- the way in
def test_somebody_of_a_group_comes_in_and_to_the_page_that_was_asked_for(
    own_installation: Installation, browser: Browser
) -> None:
    form = text_of(browser.get("/login?next=/events?factor=legal"))

    answer = come_in(browser, "/events?factor=legal")

    assert 'href="/login/sso?next=%2Fevents%3Ffactor%3Dlegal">Log in with single sign-on</a>' in form
    assert (answer.status_code, answer.headers["Location"]) == (303, "/events?factor=legal")
    assert answer.headers["Cache-Control"] == "no-store"
    assert browser.client.get_cookie(TICKET, path="/login/sso") is None
    page = text_of(browser.get("/events"))
    assert f"<span>{NAME}</span>" in page
    assert 'href="/password"' not in page
    made = user_of(own_installation)
    assert made is not None
    assert (made.scope, made.is_one_time) == ("review", False)


def test_the_session_is_one_like_any_other(own_installation: Installation, browser: Browser) -> None:
    answer = come_in(browser)
    (cookie,) = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith(COOKIE)]
    silence = {"matchers": {"vendor": "mistral"}, "ends_at": "2026-03-12", "reason": "planned"}

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=43200" in cookie
    assert browser.client.post("/v1/silences", json=silence).status_code == 400
    headers = {TOKEN_HEADER: browser.token("/sources")}
    assert browser.client.post("/v1/silences", json=silence, headers=headers).status_code == 201
    assert browser.get("/metrics").status_code == 403
    own_installation.clock.move(own_installation.clock() + LASTS)
    assert not browser.is_in()


def test_what_goes_to_the_provider_holds_no_secret_and_is_new_each_time(stranger: Browser) -> None:
    asked = [query_of(stranger.get("/login/sso").headers["Location"]) for _ in range(2)]

    for one in asked:
        assert one["response_type"] == "code"
        assert one["code_challenge_method"] == "S256"
        assert one["redirect_uri"] == f"{BASE}{BACK}"
        assert SECRET not in str(one)
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
        assert len(asked[0][name]) >= 43
    assert len({asked[0][name] for name in ("state", "nonce", "code_challenge")}) == 3


def test_the_audit_log_tells_who_came_for_the_first_time_with_which_scope(
    own_installation: Installation, provider: Provider, browser: Browser
) -> None:
    come_in(browser)
    provider.claims = {"groups": ["risk-admins"]}
    come_in(browser)
    provider.claims = {"groups": []}
    come_in(browser)

    here = {"address": "127.0.0.1"}
    assert audited(own_installation, 5) == [
        (f"person:{NAME}", "person.add", NAME, {**here, "scope": "review"}),
        (f"person:{NAME}", "login", NAME, here),
        (f"person:{NAME}", "person.scope", NAME, {**here, "scope": "admin"}),
        (f"person:{NAME}", "login", NAME, here),
        ("somebody", "login.refused", NAME, here),
    ]


def test_a_provider_that_wants_the_secret_in_the_form_gets_it_there(
    provider: Provider, browser: Browser
) -> None:
    provider.about = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}

    assert come_in(browser).status_code == 303


def test_new_keys_of_the_provider_are_taken(
    own_installation: Installation, provider: Provider, browser: Browser
) -> None:
    come_in(browser)
    provider.keys = [OTHER_KEY]
    provider.sign = lambda claims: jwt.encode({"alg": "RS256", "kid": "k2"}, claims, OTHER_KEY)
    own_installation.clock.move(own_installation.clock() + timedelta(minutes=2))

    assert come_in(browser).status_code == 303
    assert provider.asked.count("/keys") == 2
    assert provider.asked.count("/.well-known/openid-configuration") == 1


# -------------------------------------------------------------------------------- who may
@pytest.mark.parametrize(
    ("groups", "scope"),
    [
        (["readers"], "read"),
        (["risk-managers", "readers"], "review"),
        (["readers", "risk-admins"], "admin"),
        ("risk-desk", "review"),
        (["risk-desk", 7, None, ["risk-admins"]], "review"),
    ],
)
def test_the_groups_give_the_scope(
    own_installation: Installation, provider: Provider, browser: Browser, groups: Any, scope: str
) -> None:
    provider.claims = {"groups": groups}

    assert come_in(browser).status_code == 303
    made = user_of(own_installation)
    assert made is not None
    assert made.scope == scope


@pytest.mark.parametrize(
    "groups",
    [
        None, [], ["everybody"], ["RISK-DESK"], [["risk-desk"]], {"risk-desk": True}, "risk-desk,readers", 7,
    ],
)  # fmt: skip
def test_without_a_group_nobody_comes_in(
    empty: Installation, liar: Provider, stranger: Browser, groups: Any
) -> None:
    liar.claims = {"groups": groups}

    refused(stranger, come_in(stranger), "none of the groups")
    assert user_of(empty) is None


def test_the_scope_is_taken_anew_at_each_log_in_in_all_sessions(
    own_installation: Installation, provider: Provider, browser: Browser
) -> None:
    flask = own_installation.flask(**provider.ways())
    provider.claims = {"groups": ["risk-admins"]}
    come_in(browser)
    assert browser.get("/metrics").status_code == 200
    again = Browser(flask)
    provider.claims = {"groups": ["readers"]}
    come_in(again)

    assert [one.get("/metrics").status_code for one in (browser, again)] == [403, 403]

    provider.claims = {"groups": []}
    come_in(Browser(flask))
    assert not browser.is_in()  # the provider said that this person may nothing
    assert not again.is_in()


def test_who_is_disabled_stays_out(
    own_installation: Installation, provider: Provider, browser: Browser
) -> None:
    come_in(browser)
    own_installation.app.people.disable(NAME)

    assert not browser.is_in()
    other = Browser(own_installation.flask(**provider.ways()))
    refused(other, come_in(other), "may not log in here any more")

    own_installation.app.people.enable(NAME)
    assert come_in(other).status_code == 303


def test_nobody_takes_over_a_person_of_the_same_name(
    own_installation: Installation, provider: Provider, browser: Browser
) -> None:
    mine = add_user(own_installation.app, NAME, "admin")

    refused(browser, come_in(browser), "belongs to somebody else")
    assert user_of(own_installation) == mine
    provider.claims = {"sub": "another", "email": "ben@example.com"}
    come_in(browser)
    provider.claims = {"sub": "a third", "email": "BEN@example.com"}  # the address was given to somebody new
    other = Browser(own_installation.flask(**provider.ways()))
    refused(other, come_in(other), "belongs to somebody else")


def test_a_person_stays_the_same_under_a_new_name_there(
    own_installation: Installation, provider: Provider, browser: Browser
) -> None:
    come_in(browser)
    provider.claims = {"email": "ann.married@example.com"}

    come_in(browser)

    assert f"<span>{NAME}</span>" in text_of(browser.get("/sources"))
    assert user_of(own_installation, "ann.married@example.com") is None


def test_a_person_of_the_provider_has_no_password(
    own_installation: Installation, provider: Provider, browser: Browser
) -> None:
    come_in(browser)
    people = own_installation.app.people

    for password in ("", PASSWORD):
        other = Browser(own_installation.flask(**provider.ways()))
        assert other.log_in(NAME, password).status_code == 401
    with pytest.raises(Conflict, match="identity provider"):
        people.renew(NAME)
    with pytest.raises(Conflict, match="taken"):
        people.add(NAME, scope="read")
    assert "identity provider keeps it" in text_of(browser.get("/password"))
    assert browser.is_in()


def test_with_local_log_in_off_only_the_provider_lets_in(
    own_installation: Installation, provider: Provider
) -> None:
    add_user(own_installation.app, "local", "admin")
    before = Browser(own_installation.flask(), "local")
    flask = own_installation.flask(**provider.ways(RISKWATCH_LOCAL_LOGIN="false"))
    local, vouched = Browser(flask), Browser(flask)
    assert before.session is not None

    form = text_of(local.get("/login"))
    token = Browser(own_installation.flask(**provider.ways()))
    local.client.set_cookie(COOKIE, before.session)

    assert 'type="password"' not in form
    assert "Log in with single sign-on" in form
    assert not local.is_in()
    fields = {"csrf": token.token("/login"), "name": "local", "password": PASSWORD}
    nonce = token.client.get_cookie("riskwatch_login", path="/login")
    assert nonce is not None
    local.client.set_cookie("riskwatch_login", nonce.value, path="/login")
    posted = local.client.post("/login", data=fields)
    assert posted.status_code == 401
    assert "Nobody logs in with a password here." in text_of(posted)
    assert come_in(vouched).status_code == 303
    assert vouched.is_in()


def test_without_the_provider_its_sessions_end(own_installation: Installation, browser: Browser) -> None:
    come_in(browser)
    assert browser.session is not None
    later = Browser(own_installation.flask(base_url=BASE))
    later.client.set_cookie(COOKIE, browser.session)

    assert browser.is_in()
    assert not later.is_in()
    assert later.get("/login/sso").status_code == 404
    assert "/login/sso" not in text_of(later.get("/login"))


# -------------------------------------------------------------------------------- forged ways back
@pytest.mark.parametrize("state", ["", "0" * 64, "é", "x" * 5_000])
def test_a_wrong_state_opens_nothing(liar: Provider, stranger: Browser, state: str) -> None:
    given = query_of(back_from(stranger))

    answer = stranger.get(f"{BACK}?{urlencode({**given, 'state': state})}")

    refused(stranger, answer, "was not begun in this browser")
    assert "/token" not in liar.asked


def test_the_way_back_of_another_browser_opens_nothing(empty: Installation, liar: Provider) -> None:
    flask = empty.flask(**liar.ways())
    attacker, victim, elsewhere = Browser(flask), Browser(flask), Browser(flask)
    theirs = back_from(attacker)
    back_from(victim)

    refused(victim, victim.get(theirs), "was not begun in this browser")
    refused(elsewhere, elsewhere.get(theirs), "was not begun in this browser")


def test_a_way_back_is_good_once(own_installation: Installation, provider: Provider) -> None:
    flask = own_installation.flask(**provider.ways())
    browser, thief = Browser(flask), Browser(flask)
    back = back_from(browser)
    ticket = browser.client.get_cookie(TICKET, path="/login/sso")
    assert ticket is not None
    assert browser.get(back).status_code == 303
    thief.client.set_cookie(TICKET, ticket.value, path="/login/sso")

    refused(thief, thief.get(back), "was used before")
    assert provider.asked.count("/token") == 1


def test_a_code_that_was_used_is_refused_by_the_provider_and_told(liar: Provider, stranger: Browser) -> None:
    back = back_from(stranger)
    liar.codes.clear()

    refused(stranger, stranger.get(back), "its answer cannot be used (status 400, invalid_grant)")


def test_a_code_of_another_log_in_fits_no_other(empty: Installation, liar: Provider) -> None:
    flask = empty.flask(**liar.ways())
    attacker, victim = Browser(flask), Browser(flask)
    code, state = query_of(back_from(attacker))["code"], query_of(back_from(victim))["state"]

    answer = victim.get(f"{BACK}?{urlencode({'code': code, 'state': state})}")

    refused(victim, answer, "invalid_grant")  # its verifier is another


def test_a_log_in_that_takes_too_long_begins_anew(own_installation: Installation, browser: Browser) -> None:
    back = back_from(browser)
    own_installation.clock.move(own_installation.clock() + TICKET_LASTS)

    refused(browser, browser.get(back), "too old")


@pytest.mark.parametrize("ticket", ["", "x", "1.2.3", "é", "9" * 30 + ".a.b"])
def test_a_ticket_that_was_made_up_opens_nothing(stranger: Browser, ticket: str) -> None:
    given = query_of(back_from(stranger))
    stranger.client.set_cookie(TICKET, ticket, path="/login/sso")

    refused(stranger, stranger.get(f"{BACK}?{urlencode(given)}"), "was not begun in this browser")


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "/login/sso"])
def test_a_log_in_by_the_provider_leads_to_no_other_site(browser: Browser, to: str) -> None:
    assert come_in(browser, to).headers["Location"] == "/"


def test_where_a_ticket_leads_cannot_be_changed(stranger: Browser) -> None:
    back = back_from(stranger)
    ticket = stranger.client.get_cookie(TICKET, path="/login/sso")
    assert ticket is not None
    head, _, _ = ticket.value.rpartition(".")
    elsewhere = urlsafe_b64encode(b"//evil.example").decode()
    stranger.client.set_cookie(TICKET, f"{head}.{elsewhere}", path="/login/sso")

    refused(stranger, stranger.get(back), "was not begun in this browser")


def test_an_address_comes_back_ten_times_a_minute(liar: Provider, stranger: Browser) -> None:
    given = [stranger.get(f"{BACK}?state=x").status_code for _ in range(LOGINS_PER_MINUTE + 1)]
    starts = [stranger.get("/login/sso").status_code for _ in range(LOGINS_PER_MINUTE + 1)]

    assert given == [401] * LOGINS_PER_MINUTE + [429]
    assert starts == [303] * LOGINS_PER_MINUTE + [429]
    assert liar.asked == ["/.well-known/openid-configuration"]


# -------------------------------------------------------------------------------- forged tokens
def part(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def unsigned(claims: dict[str, Any]) -> str:
    return f"{part({'alg': 'none', 'kid': 'k1'})}.{part(claims)}."


def symmetric(claims: dict[str, Any]) -> str:
    """The classic: the published key as the secret of HS256."""
    key = KEY.as_pem(private=False)
    told = f"{part({'alg': 'HS256', 'kid': 'k1'})}.{part(claims)}"
    signature = hmac.digest(key, told.encode(), "sha256")
    return f"{told}.{urlsafe_b64encode(signature).decode().rstrip('=')}"


def by_another_key(claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "k1"}, claims, OTHER_KEY)


def with_its_own_key(claims: dict[str, Any]) -> str:
    """The header brings the key that it should be checked with."""
    header = {"alg": "RS256", "kid": "k1", "jwk": OTHER_KEY.as_dict(private=False)}
    return jwt.encode(header, claims, OTHER_KEY)


def changed_after_signing(claims: dict[str, Any]) -> str:
    head, body, signature = jwt.encode({"alg": "RS256", "kid": "k1"}, claims, KEY).split(".")
    told = json.loads(urlsafe_b64decode(body + "=="))
    return f"{head}.{part({**told, 'groups': ['risk-admins']})}.{signature}"


@pytest.mark.parametrize(
    "sign",
    [
        unsigned, symmetric, by_another_key, with_its_own_key, changed_after_signing,
        lambda _: "", lambda _: "a.b.c", lambda _: "é", lambda _: f"{part([])}.{part([])}.x",
        lambda _: jwt.encode({"alg": "RS256", "kid": "unknown"}, {}, KEY),
        lambda _: part({"alg": "RS256", "kid": "k1"}) + "." + "[" * 20_000 + ".x",
    ],
)  # fmt: skip
def test_a_token_that_the_provider_did_not_sign_opens_nothing(
    empty: Installation,
    liar: Provider,
    stranger: Browser,
    sign: Callable[[dict[str, Any]], str],
) -> None:
    liar.sign = sign

    refused(stranger, come_in(stranger), "its token is not valid")
    assert user_of(empty) is None


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"}, {"iss": None}, {"iss": ""},
        {"aud": "another client"}, {"aud": ["another client"]}, {"aud": None}, {"aud": []},
        {"aud": [CLIENT, "another client"]}, {"aud": [CLIENT, "another client"], "azp": "another client"},
        {"azp": "another client"},
        {"exp": None}, {"exp": 1}, {"exp": "tomorrow"}, {"iat": None}, {"iat": 99_999_999_999},
        {"nbf": 99_999_999_999},
        {"nonce": None}, {"nonce": "of another log-in"}, {"nonce": ""},
        {"sub": None}, {"sub": 7},
    ],
)  # fmt: skip
def test_a_token_for_others_from_others_or_of_another_time_opens_nothing(
    empty: Installation, liar: Provider, stranger: Browser, claims: dict[str, Any]
) -> None:
    liar.claims = claims

    refused(stranger, come_in(stranger), "its token is not valid")
    assert user_of(empty) is None


@pytest.mark.parametrize("seconds", [-61, 0])
def test_a_token_ends_a_minute_after_it_says(
    own_installation: Installation, provider: Provider, browser: Browser, seconds: int
) -> None:
    provider.claims = {"exp": int(own_installation.clock().timestamp()) + seconds}

    assert (come_in(browser).status_code == 303) is (seconds == 0)


def test_two_audiences_are_right_where_the_party_is_this_one(provider: Provider, browser: Browser) -> None:
    provider.claims = {"aud": [CLIENT, "another"], "azp": CLIENT}

    assert come_in(browser).status_code == 303


@pytest.mark.parametrize("sub", ["", "é", "a\nb", "x" * 256])
def test_a_subject_that_is_none_is_nobody(liar: Provider, stranger: Browser, sub: str) -> None:
    liar.claims = {"sub": sub}

    refused(stranger, come_in(stranger), "failed")


@pytest.mark.parametrize("is_verified", [False, None, "true", 1])
def test_an_address_that_is_not_verified_names_nobody(
    liar: Provider, stranger: Browser, is_verified: object
) -> None:
    liar.claims = {"email_verified": is_verified}

    refused(stranger, come_in(stranger), "not verified")


@pytest.mark.parametrize("name", [None, "", 7, HOSTILE, "é@example.com", "a" * 65])
def test_a_name_that_cannot_be_one_is_refused(liar: Provider, stranger: Browser, name: object) -> None:
    liar.claims = {"email": name}

    refused(stranger, come_in(stranger), "gives no name")


def test_the_name_may_come_from_another_claim(own_installation: Installation, provider: Provider) -> None:
    ways = provider.ways(RISKWATCH_OIDC_NAME_CLAIM="preferred_username", RISKWATCH_OIDC_GROUPS_CLAIM="roles")
    provider.claims = {"email": None, "email_verified": None, "groups": None, "roles": ["readers"]}
    browser = Browser(own_installation.flask(**ways))

    assert come_in(browser).status_code == 303
    made = user_of(own_installation, str(ANN["preferred_username"]))
    assert made is not None
    assert made.scope == "read"


# -------------------------------------------------------------------------------- a provider in trouble
def test_what_the_provider_says_is_shown_as_text(stranger: Browser) -> None:
    state = query_of(back_from(stranger))["state"]

    query = urlencode({"error": "access_denied", "error_description": HOSTILE + "x" * 999, "state": state})
    answer = stranger.get(f"{BACK}?{query}")

    refused(stranger, answer, "single sign-on failed: <script>alert")
    assert "<script>alert" not in answer.get_data(as_text=True)
    assert "x" * 500 not in answer.get_data(as_text=True)


def test_another_provider_that_answers_is_not_believed(stranger: Browser) -> None:
    given = {**query_of(back_from(stranger)), "iss": "https://evil.example"}

    refused(stranger, stranger.get(f"{BACK}?{urlencode(given)}"), "another provider answered")


def test_a_provider_that_is_down_is_told_and_left_alone_for_a_moment(
    own_installation: Installation, provider: Provider, browser: Browser
) -> None:
    provider.is_down = True
    for _ in range(3):
        refused(browser, browser.get("/login/sso"), "failed")
    assert len(provider.asked) == 1
    provider.is_down = False
    own_installation.clock.move(own_installation.clock() + timedelta(seconds=11))

    assert come_in(browser).status_code == 303


@pytest.mark.parametrize(
    "about",
    [
        {"issuer": "https://evil.example"}, {"issuer": None}, {"jwks_uri": None},
        {"token_endpoint": "/token"}, {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://a\r\nb"},
        {"filler": "x" * 1_100_000},
    ],
)  # fmt: skip
def test_a_description_that_cannot_be_used_opens_nothing(
    liar: Provider, stranger: Browser, about: dict[str, Any]
) -> None:
    liar.about = about

    refused(stranger, stranger.get("/login/sso"), "failed")


def test_an_address_inside_a_network_is_asked_only_where_the_settings_admit_it(
    empty: Installation, liar: Provider
) -> None:
    browser = Browser(empty.flask(**liar.ways(RISKWATCH_ALLOW_CIDRS="")))

    refused(browser, browser.get("/login/sso"), "failed")
    assert liar.asked == []


def test_the_provider_is_reached_as_a_browser_reaches_it(liar: Provider, stranger: Browser) -> None:
    begun = stranger.get("/login/sso")

    answer = requests.get(begun.headers["Location"], allow_redirects=False, timeout=10)

    assert answer.status_code == 302
    assert liar.codes[query_of(answer.headers["Location"])["code"]]["client_id"] == CLIENT


# -------------------------------------------------------------------------------- settings
WHOLE = {
    "RISKWATCH_OIDC_ISSUER": "https://id.example/realms/x/",
    "RISKWATCH_OIDC_CLIENT_ID": "riskwatch",
    "RISKWATCH_OIDC_CLIENT_SECRET": "a long secret",
    "RISKWATCH_OIDC_ADMIN_GROUPS": "admins, more admins",
    "RISKWATCH_BASE_URL": "https://risk.example",
}


def test_the_settings_are_read_and_the_secret_is_not_shown() -> None:
    read, _ = read_settings(WHOLE)
    made = web.ways_in(read)["sso"]

    assert made.issuer == "https://id.example/realms/x/"
    assert made.groups == {"read": (), "review": (), "admin": ("admins", "more admins")}
    assert "a long secret" not in repr(made) + repr(read) + str(shown(read))
    assert "a long secret" in read.secrets()


@pytest.mark.parametrize("name", [name for name in WHOLE if name != "RISKWATCH_OIDC_ISSUER"])
def test_half_a_provider_is_told(name: str) -> None:
    with pytest.raises(ConfigErrors, match="RISKWATCH_OIDC_ISSUER needs"):
        read_settings({key: value for key, value in WHOLE.items() if key != name})


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"RISKWATCH_LOCAL_LOGIN": "false"}, "nobody could log in"),
        ({**WHOLE, "RISKWATCH_OIDC_ISSUER": "http://id.example"}, "https"),
        ({**WHOLE, "RISKWATCH_OIDC_ISSUER": "https://id.example/?x=1"}, "without"),
        ({**WHOLE, "RISKWATCH_OIDC_NAME_CLAIM": "sub"}, "RISKWATCH_OIDC_NAME_CLAIM"),
    ],
)
def test_a_provider_that_cannot_be_is_told(settings: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigErrors, match=told):
        read_settings(settings)


def test_without_the_extra_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "authlib", None)
    read, _ = read_settings(WHOLE)

    with pytest.raises(ConfigError, match=r"pip install 'riskwatch\[sso\]'"):
        web.ways_in(read)
