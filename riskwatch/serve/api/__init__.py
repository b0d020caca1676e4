"""The operations of /v1, one module per resource."""

from riskwatch.serve.api import alerting, events, incidents, material, subjects, vendors

ROUTES = (
    *vendors.ROUTES,
    *subjects.ROUTES,
    *events.ROUTES,
    *material.ROUTES,
    *incidents.ROUTES,
    *alerting.ROUTES,
)

__all__ = ["ROUTES"]
