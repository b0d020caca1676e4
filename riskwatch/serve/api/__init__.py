"""The operations of /v1, one module per resource."""

from riskwatch.serve.api import events, material, subjects, vendors

ROUTES = (*vendors.ROUTES, *subjects.ROUTES, *events.ROUTES, *material.ROUTES)

__all__ = ["ROUTES"]
