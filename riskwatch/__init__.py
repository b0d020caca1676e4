"""riskwatch: how stable each AI-model vendor is, why, and what changed since yesterday."""

__version__ = "0.1.0"
