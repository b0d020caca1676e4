"""*Answers → HTML pages*, one module per page; every number is one that `present` makes for the API."""

from riskwatch.serve.pages import alerts, event, listing, overview, vendor
from riskwatch.serve.pages.acts import ACTS, Act
from riskwatch.serve.pages.frame import Page

PAGES = (
    Page("/", "overview", overview.show),
    Page("/vendors/<vendor>", "vendor", vendor.show),
    Page("/vendors/<vendor>/<line>", "line", vendor.show),
    Page("/events", "events", listing.show_events),
    Page("/events/<event>", "event", event.show),
    Page("/alerts", "alerts", alerts.show),
    Page("/incidents/<incident>", "incident", alerts.show_incident),
    Page("/sources", "sources", listing.show_sources),
    Page("/methodology", "methodology", listing.show_methodology),
)

__all__ = ["ACTS", "PAGES", "Act", "Page"]
