"""Article, Ruleset → Detection: the Signals that the text states, with their Evidence."""

from riskwatch.detect.compiled import Language, Ruleset, compile_ruleset, digest_of, for_vendors
from riskwatch.detect.detection import detect

__all__ = ["Language", "Ruleset", "compile_ruleset", "detect", "digest_of", "for_vendors"]
