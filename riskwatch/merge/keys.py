"""What makes two Signals speak of one thing: the object of a type, and when two names name it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from riskwatch.model import unit_of

if TYPE_CHECKING:
    from riskwatch.model import Signal

# Attributes that name the object, the first known one counts; a type without an entry has none.
OBJECTS: dict[str, tuple[str, ...]] = {
    "leadership_exit": ("person",),
    "leadership_appointment": ("person",),
    "talent_exodus": ("unit",),
    "layoffs": ("unit",),
    "reorganization": ("unit",),
    "licence_restriction": ("product",),
    "licence_opening": ("product",),
    "deprecation": ("product",),
    "price_increase": ("product",),
    "access_revocation": ("affected",),
    "lawsuit": ("plaintiff",),
    "regulatory_action": ("authority", "country"),
    "legal_resolution": ("counterparty",),
    "adverse_ruling": ("plaintiff", "authority"),
    "outage": ("product",),
    "security_breach": ("product",),
    "acquisition": ("buyer",),
    "safety_incident": ("product",),
    "export_control": ("country",),
    "restriction_lifted": ("country", "product"),
    "adoption_milestone": ("product",),
    "adoption_decline": ("product",),
    "government_ban": ("country",),
    "partnership": ("partner",),
    "partnership_end": ("partner",),
    "financial_distress": ("kind",),
    "access_suspension": ("product",),
    "product_release": ("product",),
}
PERSON_TYPES = frozenset({"leadership_exit", "leadership_appointment"})
UNIT_TYPES = frozenset({"talent_exodus", "layoffs", "reorganization"})
SHARE_TYPES = frozenset({"share_drop", "share_gain"})
COMPANY_TYPES = SHARE_TYPES | {
    "acquisition",
    "adverse_ruling",
    "financial_distress",
    "funding",
    "governance_dispute",
    "lawsuit",
    "legal_resolution",
    "regulatory_action",
    "vendor_shutdown",
}
WHOLE_TYPES = SHARE_TYPES | {  # of the company even where a unit is named
    "export_control",
    "financial_distress",
    "funding",
    "governance_dispute",
    "vendor_shutdown",
}
OTHER_ROLE = "other"  # a post outside the list of roles: no two of them need be the same
COMPANY_ROLES = frozenset({"founder_ceo", "ceo", "board_chair", "board_member"})

_ANY_UNIT = frozenset(  # say what kind of thing is cut or moved, not which one
    {"team", "teams", "unit", "units", "lab", "labs", "group", "groups", "division", "divisions"}
    | {"department", "departments", "organization", "organisation", "jobs", "employees", "workforce"}
)
_FILLERS = frozenset({"the", "of", "mr", "ms", "dr"})


@lru_cache(maxsize=8192)  # the same few names come back in every fold
def words_of(name: str) -> frozenset[str]:
    """Return a name's words without case, diacritics, hyphens and order: `Lin Jun-yang` is `Junyang LIN`."""
    plain = unicodedata.normalize("NFKD", name)
    plain = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    for joiner in ("-", "\u2010", "\u2011", "'", "\u2019"):
        plain = plain.replace(joiner, "")
    words = (
        word.strip(".") for word in "".join(c if c.isalnum() or c == "." else " " for c in plain).split()
    )
    return frozenset(word for word in words if word and word not in _FILLERS)


def is_same_name(left: frozenset[str], right: frozenset[str]) -> bool:
    """Whether one name is the other or a part of it (`Ortiz`, `Dana Ortiz`)."""
    return bool(left) and bool(right) and (left <= right or right <= left)


@dataclass(frozen=True, slots=True)
class Key:
    """What a Signal is about within its (vendor, type): object, role, line."""

    name: str | None  # object as written
    words: frozenset[str]  # of the object; empty when it is null
    role: str | None  # None where unknown
    line: str | None
    has_object: bool  # whether the type knows objects at all


def key_of(signal: Signal) -> Key:
    """Return the key of a Signal; a product or unit that is only the line itself counts as null."""
    names = OBJECTS.get(signal.type, ())
    name = next((str(v) for n in names if (v := signal.attributes.get(n)) not in (None, "")), None)
    words = words_of(name) if name else frozenset()
    is_person = signal.type in PERSON_TYPES
    line = None if unit_of(signal.subject) else signal.line  # outlets name units as they like
    if line and not is_person and (signal.type in UNIT_TYPES or words == words_of(line)):
        words = frozenset()  # every unit of a line is that line's team: outlets name it differently
    if signal.type in UNIT_TYPES and words <= _ANY_UNIT:
        words = frozenset()
    role = signal.attributes.get("role") if is_person else None
    known_role = str(role) if role and role != OTHER_ROLE else None
    return Key(name, words, known_role, line, bool(names))
