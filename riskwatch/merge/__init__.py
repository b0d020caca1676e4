"""Signals and known Events in → Events and Stories out."""

from riskwatch.merge.copies import sketch
from riskwatch.merge.likeness import CommonWords, common_words
from riskwatch.merge.partition import Merged, merge
from riskwatch.merge.weights import Weights

__all__ = ["CommonWords", "Merged", "Weights", "common_words", "merge", "sketch"]
