"""The canary: a vendor of whom riskwatch tells itself the same news every hour, to see that news is found."""

from __future__ import annotations

from riskwatch.model.vendor import Vendor

CANARY = "_canary"  # id of the Source and of the Vendor: in no register, listing, count or score
CANARY_VENDOR = Vendor(id=CANARY, name="Kanarienwerk", names=("Kanarienwerk",))
