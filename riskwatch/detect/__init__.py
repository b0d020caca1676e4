"""Article, Ruleset → Detection: the Signals that the text states, with their Evidence."""

from riskwatch.detect.compiled import Language, Ruleset, compile_ruleset, digest_of, for_vendors
from riskwatch.detect.detection import detect
from riskwatch.detect.needs import Known
from riskwatch.detect.told import dumped, loaded

__all__ = [
    "Known",
    "Language",
    "Ruleset",
    "compile_ruleset",
    "detect",
    "digest_of",
    "dumped",
    "for_vendors",
    "loaded",
]
