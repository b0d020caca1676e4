"""A plain keyword baseline, for comparison only: one list of words for each type, no frames, no fences.

A sentence that holds a word of a type is taken as such an event of every vendor that the article names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from riskwatch.detect import Ruleset, detect
from riskwatch.detect.patterns import bounded, compile_pattern
from riskwatch.model import Article, Assertion, Detection, Evidence, Signal, vendor_of

WORDS: Mapping[str, str] = {  # phrases, separated by ", "
    "leadership_exit": "resigns, resigned, resignation, steps down, ousted, departs, departure, quits",
    "talent_exodus": "exodus, brain drain, poaches, poached, poaching",
    "leadership_appointment": "appoints, appointed, appointment, new CEO, hires, takes over as",
    "layoffs": "layoffs, layoff, lays off, laid off, job cuts, cuts jobs",
    "reorganization": "reorganization, restructuring, reorganizes, restructures, spins off",
    "governance_dispute": "boardroom, proxy fight, shareholder revolt",
    "licence_restriction": "license, licence, licensing",
    "licence_opening": "open-source, open-sources, open-weight, open source",
    "deprecation": "deprecated, deprecates, deprecation, sunset, retire, retires, retired, discontinued",
    "price_increase": "price increase, raises prices, price hike",
    "access_revocation": "revokes, revoked, cuts off, cut off",
    "share_drop": "shares fell, shares fall, shares drop, stock falls, stock fell, plunged, tumbled",
    "share_gain": "shares rose, shares rise, stock rose, stock jumped, surged, soared",
    "financial_distress": "bankruptcy, insolvency, running out of cash, debt, default",
    "funding": "raises, raised, funding, financing, valuation",
    "acquisition": "acquires, acquired, acquisition, merger, takeover, to buy",
    "lawsuit": "lawsuit, sues, sued, suing",
    "regulatory_action": "investigation, investigates, probe, antitrust, fined, regulator, regulators",
    "adverse_ruling": "ruling, ruled, verdict, convicted",
    "legal_resolution": "settles, settled, settlement, dismissed, dismisses",
    "outage": "outage, outages, is down, downtime",
    "security_breach": "breach, breached, hacked, hackers, vulnerability, leak, leaked, ransomware",
    "safety_incident": "harm, harmful, unsafe, suicide, jailbreak",
    "export_control": "export controls, export control, export restrictions",
    "government_ban": "ban, bans, banned",
    "restriction_lifted": "lifts, lifted",
    "compute_shortage": "shortage, shortages",
    "product_release": "launches, launched, launch, releases, released, unveils, unveiled, introduces",
    "adoption_milestone": "million users, billion users",
    "adoption_decline": "loses users, users leave, traffic falls",
    "partnership": "partnership, partners, teams up, collaboration, deal",
    "partnership_end": "ends partnership, ends deal",
    "vendor_shutdown": "shutting down, shuts down, ceases operations",
    "access_suspension": "suspends, suspended, suspension",
}  # fmt: skip


def keyword_reader(ruleset: Ruleset) -> Callable[[Article], Detection]:
    """Return a detection stage that knows words only; names of vendors are found as the rules find them."""
    types = tuple(WORDS)
    patterns = [
        compile_pattern("|".join(bounded(word) for word in words.split(", "))) for words in WORDS.values()
    ]

    def read(article: Article) -> Detection:
        mentions = detect(article, ruleset).mentions
        vendors = sorted({vendor_of(mention.subject) for mention in mentions})
        signals = [
            _signal(article, vendor, type_, evidence)
            for evidence in _sentences(article, ruleset)
            for type_, pattern in zip(types, patterns, strict=True)
            if vendors and pattern.hits(evidence.quote)
            for vendor in vendors
        ]
        return Detection(tuple(signals), mentions)

    return read


def _sentences(article: Article, ruleset: Ruleset) -> Iterator[Evidence]:
    yield Evidence("title", 0, len(article.title or ""), article.title or "")
    raw = article.text.encode()
    language = ruleset.languages.get(article.lang.split("-")[0], next(iter(ruleset.languages.values())))
    for first, last in language.splitter.spans(raw):
        start, words = len(raw[:first].decode()), raw[first:last].decode()
        yield Evidence("body", start, start + len(words), words)


def _signal(article: Article, vendor: str, type_: str, evidence: Evidence) -> Signal:
    return Signal(
        id=f"{article.id}-{vendor}-{type_}-{evidence.field}-{evidence.start}",
        article_id=article.id,
        revision=article.revision,
        vendor=vendor,
        line=None,
        type=type_,
        assertion=Assertion.CONFIRMED,
        confidence=1.0,
        route="keyword",
        attributes={},
        evidence=evidence,
        rule=f"keywords.{type_}@1",
    )
