"""config/alerts.yaml: what is refused, with what words, and what is kept."""

from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest
from pydantic import TypeAdapter, ValidationError

from riskwatch.errors import ConfigErrors
from riskwatch.model import Dependency, Severity, Spend, criticality_of, touching
from riskwatch.send.check import portfolio_problems, problems, warnings
from riskwatch.send.conditions import Duration
from riskwatch.send.rule import (
    AlertRule,
    AlertsFile,
    DigestConfig,
    PortfolioFile,
    ReceiverConfig,
    Route,
    Scope,
)
from riskwatch.settings import load
from riskwatch.strict_yaml import read_yaml, validate

TYPES = ("outage", "leadership_exit", "vendor_shutdown")
MAIL = "receivers: [{id: post, kind: email, to: [risk@example.com]}]\n"
RULE = (
    "rules:\n"
    "- {id: r, severity: warning, scope: {all: true}, condition: {kind: score_below, threshold: 60}}\n"
)
ON_AND_OFF = (
    "receivers: [{id: off, kind: slack, secret: s, enabled: false}, {id: on, kind: slack, secret: s}]\n"
)


def read(text: str) -> AlertsFile:
    document = read_yaml(text, "alerts.yaml")
    return validate(AlertsFile, document.value, document)


def refused(text: str) -> str:
    with pytest.raises(ConfigErrors) as caught:
        read(text)
    return str(caught.value)


def a_rule(condition: str = "{kind: score_below, threshold: 60}", more: str = "") -> str:
    return (
        "rules:\n  - id: r\n    severity: warning\n    scope: {all: true}\n"
        f"    condition: {condition}\n{more}"
    )


def told(text: str, **known: object) -> list[tuple[str, str]]:
    return problems(read(text), **{"types": TYPES, **known})  # type: ignore[arg-type]  # one dict for all


# -------------------------------------------------------------------------------- the shipped file
def test_the_shipped_rules_are_those_of_the_design() -> None:
    config = load(environ={})

    assert [rule.id for rule in config.alerts.rules] == [
        "event-material", "grade-down", "week-fall", "continuity", "tier1-below-60", "rating-lost",
        "source-silent", "canary-lost",
    ]  # fmt: skip
    assert [config.alerts.receivers, config.alerts.routes, config.alerts.digests] == [(), (), ()]
    assert config.portfolio == ()
    assert any("no receiver is named" in warning for warning in config.warnings)


def test_the_commented_example_of_the_shipped_file_is_valid() -> None:
    text = (Path(__file__).parents[2] / "config" / "alerts.yaml").read_text(encoding="utf-8")
    head, _, example = text.partition("# routes:\n")
    lines = ("# routes:\n" + example).splitlines()

    file = read(head + "\n".join(line.removeprefix("# ") for line in lines) + "\n")

    assert problems(file, types=load(environ={}).taxonomy) == []
    assert warnings(file) == []
    assert [one.kind for one in file.receivers] == ["email", "slack", "webhook"]
    assert file.routes[0].group_wait == timedelta(seconds=10)
    assert file.digests[0].days == ("mon",)


def test_the_commented_example_of_the_portfolio_is_valid(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "config" / "portfolio.yaml").read_text(encoding="utf-8")
    _, _, example = text.partition("# dependencies:\n")
    lines = ("# dependencies:\n" + example).splitlines()
    (tmp_path / "portfolio.yaml").write_text(
        "\n".join(line.removeprefix("# ") for line in lines) + "\n", "utf-8"
    )

    (only,) = load(tmp_path, environ={}).portfolio

    assert only.subject == "alibaba/qwen"
    assert only.spend == Spend(amount=120_000, currency="EUR")


def test_the_examples_of_the_docs_are_valid() -> None:
    text = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
    blocks = [dedent(part.partition("```")[0].rstrip(" ")) for part in text.split("```yaml\n")[1:]]
    first, alerts, portfolio = blocks
    config = load(environ={})

    begun, file = read(first), read(alerts)
    (only,) = PortfolioFile.model_validate(read_yaml(portfolio, "x").value).dependencies

    assert problems(begun, types=config.taxonomy) == []
    assert problems(file, types=config.taxonomy, subjects={"alibaba/qwen"}) == []
    assert only.subject == "alibaba/qwen"


# -------------------------------------------------------------------------------- lengths of time
@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("15m", 900), ("24h", 86_400), ("7d", 604_800), ("0s", 0), ("2w", 1_209_600)],
)
def test_a_length_of_time_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    adapter: TypeAdapter[timedelta] = TypeAdapter(Duration)

    value = adapter.validate_python(text)

    assert value == timedelta(seconds=seconds)
    assert adapter.validate_python(adapter.dump_python(value)) == value
    assert adapter.validate_python(value) == value


@pytest.mark.parametrize("text", ["24", "h", "1.5h", "-1h", "1 h", "24 hours", "9999999s", "²h", 5, None])
def test_anything_else_is_told_how_to_be_written(text: object) -> None:
    with pytest.raises(ValidationError, match="write a whole number and a unit, such as 10s, 15m, 24h, 7d"):
        TypeAdapter(Duration).validate_python(text)


# -------------------------------------------------------------------------------- one part
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (a_rule(more="    clear_margin: -1\n"), "alerts.yaml:6: rules.0.clear_margin: Input"),
        (a_rule("{kind: score_drop, points: 8, window: 91d}"), "write 90d or less"),
        (a_rule("{kind: score_drop, points: 8, window: 5m}"), "write 1h or more"),
        (a_rule(more="    repeat_every: 59m\n"), "alerts.yaml:6: rules.0.repeat_every: write 1h or more"),
        (a_rule("{kind: score_fell}"), "score_fell is no kind; write kind: and one of score_below"),
        (a_rule("{kind: score_below, threshold: 60, factor: weather}"), "factor"),
        (a_rule("{kind: score_below, threshold: 160}"), "threshold"),
        (a_rule("{kind: event, types: []}"), "types"),
        (a_rule("{kind: event, types: ['*'], assertions: [denied]}"), "assertions"),
        (a_rule("{kind: all_of, of: [{kind: score_below, threshold: 60}]}"), "at least 2 items"),
        (
            a_rule("{kind: all_of, of: [{kind: not_rated}, {kind: any_of, of: []}]}"),
            "any_of is no kind; write kind: and one of score_below, score_drop",
        ),
        (RULE.replace("all: true", "all: true, tags: [x]"), "write exactly one of vendors, tags"),
        (RULE.replace("{all: true}", "{}"), "write exactly one of vendors, tags, criticality, all: true"),
        (RULE.replace("all: true", "vendors: null"), "write exactly one of vendors, tags"),
        (RULE.replace("id: r", "id: r, color: red"), "unknown key; remove it or correct its spelling"),
        ("routes: [{receivers: [post], group_wait: 2h}]\n", "write 1h or less"),
        ("routes: [{receivers: [post], group_interval: 59s}]\n", "write 1m or more"),
        (
            'routes: [{receivers: [x], active_hours: {tz: Europe/Berlni, from: "08:00", to: "18:00"}}]\n',
            "write an IANA time zone, such as Europe/Berlin or UTC; not 'Europe/Berlni'",
        ),
        (
            'routes: [{receivers: [x], active_hours: {tz: UTC, from: "08:00", to: "08:00"}}]\n',
            "from and to are the same",
        ),
        ("receivers: [{id: a, kind: pager}]\n", "pager is no kind; write kind: and one of email, slack"),
        ("receivers: [{id: a}]\n", "write kind: first"),
        ("receivers: [{id: a, kind: email, to: ['Risk <risk@example.com>']}]\n", "write a plain address"),
        ('receivers: [{id: a, kind: email, to: ["a@b.c\\r\\nBcc: x@y.z"]}]\n', "write a plain address"),
        ("receivers: [{id: a, kind: email, to: [nobody]}]\n", "write a plain address"),
        ("receivers: [{id: a, kind: webhook, url: 'ftp://x.org', secret: s}]\n", "write an address such as"),
        ("receivers: [{id: a, kind: webhook, url: 'https://u:p@x.org', secret: s}]\n", "without a password"),
        (
            'digests: [{id: d, receiver: x, tz: UTC, at: "8:00"}]\n',
            "digests.0.at",
        ),
        (
            'digests: [{id: d, receiver: x, tz: UTC, at: "08:00", days: [mon], day_of_month: 1}]\n',
            "write days or day_of_month, not both",
        ),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_its_place_and_what_to_write(text: str, message: str) -> None:
    assert message in refused(text)


# -------------------------------------------------------------------------------- between the parts
def test_an_unknown_event_type_names_the_near_one() -> None:
    assert told(a_rule("{kind: event, types: [leadership_exits, '*']}")) == [
        ("there is no event type leadership_exits; did you mean leadership_exit?", "rules.0.condition.types")
    ]
    inside = "{kind: all_of, of: [{kind: not_rated}, {kind: event, types: [zzz]}]}"
    assert told(a_rule(inside)) == [("there is no event type zzz", "rules.0.condition.of.1.types")]


def test_an_id_that_stands_twice_is_told() -> None:
    assert told(MAIL.replace("]\n", ", {id: post, kind: slack, secret: s}]\n", 1)) == [
        ("the id post is taken by an earlier entry; choose another", "receivers.1.id")
    ]


def test_vendors_tags_playbooks_and_receivers_must_exist() -> None:
    text = (
        RULE.replace("all: true", "vendors: [acme, acme/two]").replace("id: r,", "id: r, playbook: p,")
        + RULE.removeprefix("rules:\n").replace("all: true", "tags: [x]").replace("id: r", "id: q")
        + MAIL
        + "routes: [{match: {tag: y}, receivers: [post, pots]}, {receivers: [post]}]\n"
        + 'digests: [{id: d, receiver: nobody, tz: UTC, at: "08:00"}]\n'
    )

    assert told(text, subjects={"acme", "acme/one"}, tags={"eu"}, playbooks={"outage"}) == [
        ("there is no vendor or line acme/two; did you mean acme/one?", "rules.0.scope.vendors"),
        ("there is no playbook p", "rules.0.playbook"),
        ("there is no vendor tag x", "rules.1.scope.tags"),
        ("there is no receiver pots; did you mean post?", "routes.0.receivers"),
        ("there is no vendor tag y", "routes.0.match.tag"),
        ("there is no receiver nobody", "digests.0.receiver"),
    ]


def test_alerts_do_not_leave_in_clear_text() -> None:
    text = "receivers: [{id: a, kind: webhook, url: 'http://x.org/y', secret: s}]\n"

    assert told(text) == [("write https://; alerts are not sent in clear text", "receivers.0.url")]


@pytest.mark.parametrize(
    ("rest", "reaches"),
    [
        (MAIL, True),
        (MAIL.replace("kind: email", "kind: email, enabled: false"), False),
        (MAIL + "routes: [{match: {severity: critical}, receivers: [post]}]\n", False),
        (MAIL + "routes: [{match: {severity: warning}, receivers: [post]}]\n", True),
        (MAIL + "routes: [{match: {tag: eu}, receivers: [post]}]\n", True),
        (MAIL + "routes: [{match: {owner: J. Doe}, receivers: [post]}]\n", False),
        (MAIL + "routes: [{match: {factor: legal}, receivers: [post]}]\n", True),
        (ON_AND_OFF + "routes: [{receivers: [off]}, {receivers: [on]}]\n", False),
        (ON_AND_OFF + "routes: [{receivers: [off], continue: true}, {receivers: [on]}]\n", True),
    ],
)
def test_a_rule_must_reach_an_enabled_receiver_where_one_is_named(rest: str, reaches: bool) -> None:
    found = told(RULE + rest)

    assert [key for message, key in found if "reaches no enabled receiver" in message] == (
        [] if reaches else ["rules.0.id"]
    )


def test_a_disabled_rule_need_not_reach_anybody() -> None:
    assert (
        told(
            RULE.replace("id: r", "id: r, enabled: false")
            + MAIL
            + "routes: [{match: {owner: x}, receivers: [post]}]\n"
        )
        == []
    )


def test_without_any_receiver_there_is_a_warning_only() -> None:
    assert told(RULE) == []
    assert len(warnings(read(RULE))) == 1
    assert warnings(AlertsFile()) == []


def test_mistakes_of_an_installation_are_told_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text(
        a_rule("\n      kind: event\n      types: [leadership_exits]"), "utf-8"
    )
    (tmp_path / "portfolio.yaml").write_text(
        "dependencies:\n"
        "  - {use_case: A, subject: openai, criticality: 1, spend: {amount: 1, currency: EUR}}\n"
        "  - {use_case: B, subject: openai, criticality: 2}\n"
        "  - {use_case: C, subject: opnai, criticality: 1, spend: {amount: 1, currency: USD}}\n",
        "utf-8",
    )

    with pytest.raises(ConfigErrors) as caught:
        load(tmp_path, environ={})

    text = str(caught.value)
    assert "alerts.yaml:7: rules.0.condition.types: there is no event type leadership_exits" in text
    assert (
        "portfolio.yaml:4: dependencies.2.subject: there is no vendor or line opnai; did you mean openai?"
        in text
    )
    assert "portfolio.yaml:4: dependencies.2.spend.currency: write EUR as in the first entry" in text


def test_a_broken_file_is_told_and_counts_as_empty(tmp_path: Path) -> None:
    (tmp_path / "alerts.yaml").write_text("rules: 5\n", "utf-8")
    (tmp_path / "portfolio.yaml").write_text("", "utf-8")

    with pytest.raises(ConfigErrors, match=r"alerts\.yaml:1: rules: Input should be a valid array"):
        load(tmp_path, environ={})


# -------------------------------------------------------------------------------- what is derived
def test_only_the_condition_decides_whether_incidents_survive_an_edit() -> None:
    rule = read(RULE).rules[0]
    louder = rule.model_copy(update={"severity": Severity.CRITICAL, "name": "Other"})
    lower = read(RULE.replace("60", "50")).rules[0]

    assert rule.condition_hash == louder.condition_hash != lower.condition_hash


def test_a_rule_survives_the_way_to_the_database_and_back() -> None:
    for rule in load(environ={}).alerts.rules:
        body = rule.model_dump(mode="json", by_alias=True, exclude_none=True)

        assert AlertRule.model_validate(body) == rule
        assert AlertRule.model_validate(body).condition_hash == rule.condition_hash


def test_the_family_of_a_joined_condition_is_its_rule() -> None:
    joined = read(
        a_rule("{kind: any_of, of: [{kind: not_rated}, {kind: score_below, threshold: 50}]}")
    ).rules[0]

    assert (joined.family, joined.kind, joined.title, joined.factor) == ("r", "any_of", "r", None)
    assert read(RULE).rules[0].family == "score_below"


@pytest.mark.parametrize(
    ("scope", "subject", "covered"),
    [
        ({"all": True}, "acme/one", True),
        ({"vendors": ("acme",)}, "acme/one", True),
        ({"vendors": ("acme/one",)}, "acme", False),
        ({"tags": ("eu",)}, "acme", True),
        ({"tags": ("us",)}, "acme", False),
        ({"criticality": 2}, "acme", True),
        ({"criticality": 1}, "acme", False),
    ],
)
def test_a_scope_covers(scope: dict[str, object], subject: str, covered: bool) -> None:
    assert Scope.model_validate(scope).covers(subject, tags=frozenset({"eu"}), criticality=2) is covered
    assert not Scope(criticality=4).covers(subject, tags=frozenset(), criticality=None)


def test_each_address_is_a_recipient_of_its_own_once() -> None:
    adapter: TypeAdapter[ReceiverConfig] = TypeAdapter(ReceiverConfig)

    mail = adapter.validate_python({"id": "m", "kind": "email", "to": ["a@x.org", "b@x.org", "a@x.org"]})
    hook = adapter.validate_python({"id": "h", "kind": "webhook", "url": "https://x.org", "secret": "s"})
    slack = adapter.validate_python({"id": "s", "kind": "slack", "secret": "s"})

    assert mail.recipients == ("a@x.org", "b@x.org")
    assert (hook.recipients, slack.recipients) == (("h",), ("s",))


def test_groups_are_by_vendor_unless_said_otherwise() -> None:
    assert Route(receivers=("post",)).group_by == ("vendor",)
    assert DigestConfig(id="d", receiver="post", tz="UTC", at="08:00").days == ()


def test_trouble_of_a_vendor_reaches_its_lines_and_the_other_way() -> None:
    one = Dependency(use_case="A", subject="acme/one", criticality=2)
    whole = Dependency(use_case="B", subject="acme", criticality=3)

    assert touching((one, whole), "acme") == (one, whole)
    assert touching((one, whole), "acme/two") == (whole,)
    assert criticality_of((one, whole), "acme/one") == 2
    assert criticality_of((one, whole), "other") is None


def test_a_portfolio_without_known_subjects_is_checked_for_its_money_only() -> None:
    assert portfolio_problems([Dependency(use_case="A", subject="acme", criticality=1)]) == []
