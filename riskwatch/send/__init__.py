"""*Scores, Events → Incidents → Deliveries*."""
