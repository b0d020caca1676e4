"""Signals and known Events in → Events and Stories out."""

from riskwatch.merge.copies import sketch
from riskwatch.merge.partition import Merged, merge
from riskwatch.merge.weights import Weights

__all__ = ["Merged", "Weights", "merge", "sketch"]
