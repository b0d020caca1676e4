"""The wiring: settings -> store, ruleset, clock, poller -> jobs, ticks and web app; nothing here decides."""

from __future__ import annotations

import gc
import http.client
import random
import secrets
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from riskwatch import __version__, pages, pipeline, polling, reports, retention, telemetry
from riskwatch.collect import Tools
from riskwatch.collect.sources import canary
from riskwatch.compiling import compile_rules, digest_of
from riskwatch.detect import detect
from riskwatch.intake import Given, Intake, decoded
from riskwatch.keeping import Keeping
from riskwatch.measuring import Measuring
from riskwatch.model import SCOPES, AuditEntry
from riskwatch.progress import Bar
from riskwatch.questions import Questions
from riskwatch.reports import IngestReport, PollReport, RereadReport
from riskwatch.settings import Config
from riskwatch.store import Store

if TYPE_CHECKING:
    from riskwatch.alert_app import AlertApp
    from riskwatch.alert_desk import AlertDesk
    from riskwatch.collect import Source
    from riskwatch.collect.http import HttpClient
    from riskwatch.detect import Ruleset
    from riskwatch.serve.people import People

BULK = 50  # new articles of one ingest: an archive, of which nobody is told at once
INGEST_BATCH = 500  # articles stored in one transaction
TICK_SECONDS: Mapping[str, int] = {
    "poll": 30, "pages": 30, "absorb": 15, "score": 300, "tidy": 3600,
    "evaluate": 300, "flush": 5, "digests": 30, "dispatch": 5, "reap": 60,
}  # fmt: skip
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def utc_now() -> datetime:
    """Return the instant, aware, UTC: the only clock of the program."""
    return datetime.now(UTC)


def new_id() -> str:
    """Return a ULID: 26 characters, 48 bits of milliseconds, 80 random bits (github.com/ulid/spec)."""
    number = (int(utc_now().timestamp() * 1000) << 80) | secrets.randbits(80)
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


class App:
    """The parts of one installation, each built when first asked for."""

    def __init__(
        self,
        config: Config,
        *,
        now: Callable[[], datetime] = utc_now,
        sources: tuple[Source, ...] | None = None,
        demo_dir: Path | None = None,
    ) -> None:
        self.config, self.now = config, now
        self.sources = config.sources if sources is None else sources
        self.data_dir = demo_dir or config.settings.data_dir
        self._is_demo = demo_dir is not None  # the demo lives in SQLite, whatever database the settings name
        self.counters = telemetry.Counters()
        self.log = structlog.get_logger("riskwatch")
        self._is_read_by_ruleset = False

    @cached_property
    def keeping(self) -> Keeping:
        """Where the data lives."""
        return Keeping(self.data_dir, self.config.settings, now=self.now, is_local=self._is_demo)

    @property
    def store(self) -> Store:
        """The database at the newest schema."""
        return self.keeping.store

    def restore(self, file: Path) -> list[str]:
        """Put a backup in place of the SQLite database, which nobody may have open; return what to tell."""
        self.close()
        return self.keeping.restore(file)

    @cached_property
    def ruleset(self) -> Ruleset:
        """All rules of this configuration, compiled."""
        return compile_rules(self.config)

    @cached_property
    def ruleset_digest(self) -> str:
        """Name of the ruleset; it is known without compiling."""
        return digest_of(self.config)

    @cached_property
    def _bare_parts(self) -> pipeline.Parts:
        return pipeline.Parts(
            store=self.store,
            ruleset_digest=self.ruleset_digest,
            compiled=lambda: self.ruleset,
            vendors=self.config.vendors,
            taxonomy=self.config.taxonomy,
            methodology=self.config.methodology,
            sets=self.config.sets,
            words=self.config.common_words,
            sources=self.sources,
            now=self.now,
            new_id=new_id,
            count=self.counters.count,
            log=self.log.info,
        )

    @cached_property
    def parts(self) -> pipeline.Parts:
        """What the jobs work with; new Snapshots are judged by the AlertRules."""
        return replace(self._bare_parts, alerts=self.alerts.alerting)

    @cached_property
    def alerts(self) -> AlertApp:
        """Alerting: evaluation, messages, what the web and the command line ask of it."""
        from riskwatch.alert_app import AlertApp  # noqa: PLC0415 - only where something is scored or sent

        return AlertApp(
            self.config,
            self._bare_parts,
            client=lambda: self.client,
            log=self.log,
            key=lambda: self.keeping.pepper,
        )

    @cached_property
    def desk(self) -> AlertDesk:
        """What the web and the command line may ask of alerting."""
        from riskwatch.alert_desk import AlertDesk  # noqa: PLC0415 - loads what serves

        return AlertDesk(self.alerts)

    # ---------------------------------------------------------------------------- articles in
    @cached_property
    def intake(self) -> Intake:
        """Reads saved files, and knows the outlets."""
        return Intake(self.config.publishers, now=self.now)

    def ingest(self, paths: Sequence[Path], *, given: Given, bar: Bar) -> IngestReport:
        """Store saved articles, then detect, merge and score them."""
        report, files = IngestReport(), 0
        for saved in self.intake.saved(paths, given=given, bar=bar):
            files += 1
            report.errors.extend(str(error) for error in saved.errors)
            for start in range(0, len(saved.articles), INGEST_BATCH):
                added = pipeline.ingest(self.parts, saved.articles[start : start + INGEST_BATCH])
                report.new += len(added.new)
                report.changed += len(added.changed)
                report.unchanged += added.unchanged
        if not files:
            report.errors.append(f"{', '.join(str(path) for path in paths)}: no file to read")
        if report.new >= BULK:
            self.alerts.alerting.settle()
        report.absorbed = self.absorb(bar)
        if report.unchanged and any(value is not None for value in given.values()):
            report.notes.append("unchanged articles keep the date, outlet and address of their first ingest")
        return report

    def absorb(self, bar: Bar) -> pipeline.Absorbed:
        """Detect, merge and score whatever is pending, with a progress bar."""
        with self.store.begin(write=False) as unit:
            waiting = unit.articles.count_pending()
        with bar(waiting, "detecting") as moving:
            return pipeline.absorb(self.parts, progress=moving.update)

    def redetect(self, bar: Bar) -> RereadReport:
        """Read again what another ruleset has read, with a progress bar."""
        with self.store.begin(write=False) as unit:
            outdated = unit.articles.count_outdated(ruleset=self.ruleset_digest)
        with bar(outdated, "detecting again") as moving:
            return RereadReport(pipeline.redetect(self.parts, progress=moving.update))

    def absorb_due(self) -> None:
        """Detect, merge and score what is pending; the first time also what another ruleset has read."""
        if self._is_read_by_ruleset:
            pipeline.absorb(self.parts)
        else:
            pipeline.redetect(self.parts)
            self._is_read_by_ruleset = True

    def detect(self, paths: Sequence[Path], *, explain: bool, as_json: bool) -> Iterator[tuple[str, bool]]:
        """Run detection alone; give lines to print, each with whether it is an error."""
        for saved in self.intake.saved(paths, given={}):
            yield from ((f"error: {error}", True) for error in saved.errors)
            for article in saved.articles:
                ready = replace(article, id=article.guid, first_seen_at=self.now())
                found = detect(ready, self.ruleset, is_traced=explain)
                for line in reports.detection(ready, found, explain=explain, as_json=as_json):
                    yield line, False

    # ---------------------------------------------------------------------------- polling
    @cached_property
    def client(self) -> HttpClient:
        """The guarded HTTP client."""
        from riskwatch.collect.guard import Guard  # noqa: PLC0415 - loads requests
        from riskwatch.collect.http import HttpClient  # noqa: PLC0415 - loads requests

        chosen = self.config.settings
        agent = f"riskwatch/{__version__} (+{chosen.contact_url})"
        return HttpClient(user_agent=agent, guard=Guard(chosen.allow_cidrs))

    @cached_property
    def tools(self) -> Tools:
        """What a poll works with: the guarded client, the decoder, files of the config folder."""
        return Tools(
            fetch=self.client.fetch,
            decode=decoded,
            now=self.now,
            new_id=new_id,
            jitter=random.SystemRandom().random,
            read_files=self.config_bytes,
        )

    def config_bytes(self, name: str) -> list[bytes]:
        """Return the documents of a Source of kind file: a file of the config folder, or all of a folder."""
        found = [path for key, path in self.config.files.items() if key == name or key.startswith(f"{name}/")]
        if not found:
            raise FileNotFoundError(name)
        return [path.read_bytes() for path in found]

    def poll(self, *, only: Sequence[str], everything: bool, bar: Bar) -> PollReport:
        """Poll Sources and read pages, each time detect, merge and score what they brought."""
        choice = polling.Choice(only=tuple(only), everything=everything)
        due = polling.count_due(self.parts, choice)
        gc.freeze()  # modules and settings live as long as the process: no collection need look at them
        with bar(due, "polling") as moving:
            polls = polling.poll_sources(self.parts, self.tools, choice, progress=moving.update)
        absorbed = self.absorb(bar)
        with bar(pages.count_due(self.parts), "reading pages") as moving:
            read = pages.read_pages(self.parts, self.client, progress=moving.update)
        return PollReport(polls, absorbed + self.absorb(bar) if read else absorbed, read)

    def poll_due(self) -> None:
        """Poll the Sources that are due, the canary among them."""
        parts = replace(self.parts, sources=(*self.sources, canary.SOURCE))
        polling.poll_sources(parts, self.tools, polling.Choice())

    # ---------------------------------------------------------------------------- answers and checks
    @property
    def questions(self) -> Questions:
        """What the command line asks of events and scores."""
        return Questions(self.parts)

    @cached_property
    def measuring(self) -> Measuring:
        """What the rules are held against."""
        return Measuring(
            self.config, compiled=lambda: self.ruleset, resolve=self.intake.resolve, now=self.now
        )

    # ---------------------------------------------------------------------------- people, keys, audit log
    @property
    def people(self) -> People:
        """Who may log in."""
        from riskwatch.serve.people import People  # noqa: PLC0415 - loads argon2

        return People(self.store, self.now)

    def add_key(self, name: str, *, scopes: Sequence[str], expires_at: datetime | None = None) -> str:
        """Make an API key; its whole text is returned this once."""
        from riskwatch.serve.access import mint_key  # noqa: PLC0415 - loads Flask

        key, shown = mint_key(
            name, scopes=tuple(scopes), pepper=self.keeping.pepper, now=self.now(), expires_at=expires_at
        )
        with self.store.begin() as unit:
            unit.access.add_key(key)
        return shown

    def keys(self) -> list[dict[str, Any]]:
        """Return the API keys without their secrets."""
        with self.store.begin(write=False) as unit:
            return [reports.api_key(key, now=self.now()) for key in unit.access.keys()]  # noqa: SIM118 - a method of ours

    def audit(self, *, after: int, limit: int) -> Sequence[AuditEntry]:
        """Return lines of the audit log, oldest first."""
        with self.store.begin(write=False) as unit:
            return unit.access.audit(after=after, limit=limit)

    def verify_audit(self) -> int | None:
        """Return the number of the first line that does not fit, None where the log is whole."""
        with self.store.begin(write=False) as unit:
            return unit.access.verify_audit()

    def revoke_key(self, key_id: str) -> None:
        """End an API key. Raises NotFound."""
        with self.store.begin() as unit:
            unit.access.revoke_key(key_id, now=self.now())

    # ---------------------------------------------------------------------------- web
    def web(
        self, *, base_url: str = "", anonymous_read: bool | None = None, demo_day: date | None = None
    ) -> Any:  # noqa: ANN401 - a WSGI callable; Flask has one door
        """Return the web app on this installation."""
        from riskwatch import web  # noqa: PLC0415 - loads Flask
        from riskwatch.serve import create_app  # noqa: PLC0415 - loads Flask

        allowed = self.config.settings.anonymous_read if anonymous_read is None else anonymous_read
        config = web.serve_config(
            self.config,
            self.sources,
            ruleset_digest=self.ruleset_digest,
            pepper=self.keeping.pepper,
            base_url=base_url,
            anonymous_read=allowed,
            demo_day=demo_day,
            **(web.ways_in(self.config.settings) if demo_day is None else {"anonymous_per_minute": 6000}),
        )
        actions = web.WebActions(self.parts, self.counters.text)
        return create_app(store=self.store, actions=actions, config=config, now=self.now, alerts=self.desk)

    def openapi(self) -> dict[str, Any]:
        """Return the description of the API."""
        from riskwatch.serve.api import ROUTES  # noqa: PLC0415 - loads Flask
        from riskwatch.serve.openapi import openapi  # noqa: PLC0415 - loads Flask

        return openapi(ROUTES, version=__version__)

    # ---------------------------------------------------------------------------- running
    def daily(self) -> int:
        """Store a Snapshot of every Subject as of 00:00 UTC, once a day; return how many were stored."""
        return pipeline.daily(self.parts)

    def start_ticks(self) -> Callable[[], None]:
        """Start polling, detection, scoring and alerting; return what stops them."""
        from riskwatch import schedule  # noqa: PLC0415 - loads APScheduler

        self.alerts.start()
        ticks: dict[str, Callable[[], object]] = {"poll": self.poll_due, "absorb": self.absorb_due}
        ticks |= {"score": self.daily, "pages": partial(pages.read_pages, self.parts, self.client)}
        ticks |= {"tidy": partial(retention.tidy, self.parts, self.config.retention), **self.alerts.ticks()}
        gc.freeze()  # as in poll
        return schedule.start_ticks(
            {name: (self._guarded(name, tick), TICK_SECONDS[name]) for name, tick in ticks.items()},
            now=self.now(),
        )

    def _guarded(self, name: str, tick: Callable[[], object]) -> Callable[[], None]:
        def run() -> None:
            try:
                tick()
            except Exception:
                self.log.exception("tick_failed", tick=name)

        return run

    def work(self, *, say: Callable[[str], object]) -> None:
        """Poll, detect and score until SIGTERM or SIGINT."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: stop.set())
        stop_ticks = self.start_ticks()
        say("riskwatch works; stop it with Ctrl-C")
        stop.wait()
        stop_ticks()
        self.close()

    def first_key(self) -> str | None:
        """Make an admin key where there is none at all; return its text."""
        with self.store.begin(write=False) as unit:
            if unit.access.keys():
                return None
        return self.add_key("first", scopes=SCOPES)

    def health(self) -> tuple[bool, str]:
        """Ask /livez of the running service."""
        chosen = self.config.settings
        host = "127.0.0.1" if chosen.host in ("0.0.0.0", "::") else chosen.host  # noqa: S104 - compared, not bound
        connection = http.client.HTTPConnection(host, chosen.port, timeout=4)
        try:
            connection.request("GET", "/livez")
            status = connection.getresponse().status
        except OSError as error:
            return False, f"no answer from {host}:{chosen.port}: {error}"
        finally:
            connection.close()
        return status == http.client.OK, f"{host}:{chosen.port} answers {status}"

    def close(self) -> None:
        """Give the database connections back."""
        self.keeping.close()
        for name in ("parts", "_bare_parts", "alerts", "desk"):
            self.__dict__.pop(name, None)
