"""The text of the mail templates, read from the package; only the wiring calls this."""

from __future__ import annotations

from importlib.resources import files


def read() -> dict[str, str]:
    """Return file name -> Jinja source of every mail template."""
    folder = files(__name__)
    return {
        entry.name: entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith((".html", ".txt"))
    }
