"""JSON Schemas of the config files and of webhook bodies; made from the models, stored in config/schema/."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from riskwatch.collect.source import Source
from riskwatch.detect.rules import Blockers, Lexicon, Modifiers, Rates, Rule
from riskwatch.merge import CommonWords
from riskwatch.model import Retention, Vendor
from riskwatch.score import Methodology
from riskwatch.send.playbook import Playbooks
from riskwatch.send.rule import AlertsFile, PortfolioFile
from riskwatch.send.webhook_body import WebhookBody
from riskwatch.settings import OverridesFile, PublishersFile, TaxonomyFile

SCHEMAS: Mapping[str, Any] = {
    "vendor": Vendor,
    "rule": Rule,
    "lexicon": Lexicon,
    "modifiers": Modifiers,
    "blockers": Blockers,
    "rates": Rates,
    "common_words": CommonWords,
    "taxonomy": TaxonomyFile,
    "publishers": PublishersFile,
    "scoring": Methodology,
    "playbooks": Playbooks,
    "alerts": AlertsFile,
    "portfolio": PortfolioFile,
    "retention": Retention,
    "overrides": OverridesFile,
    "webhook": WebhookBody,
    "sources": Annotated[tuple[Source, ...], Field(title="Sources")],
}


def schemas() -> dict[str, str]:
    """Return file name -> JSON Schema text of every kind of config file, as stored in config/schema/."""
    made = {}
    for name, model in SCHEMAS.items():
        schema = TypeAdapter(model).json_schema(by_alias=True)
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
        made[f"{name}.schema.json"] = json.dumps(schema, indent=2, sort_keys=True) + "\n"
    return made
