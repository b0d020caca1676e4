"""The wiring: settings -> store, ruleset, clock, poller -> jobs, ticks and web app; nothing here decides."""

from __future__ import annotations

import difflib
import gc
import gzip
import http.client
import json
import os
import random
import secrets
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict
from urllib.parse import urlsplit

import structlog

from riskwatch import __version__, benchmark, keywords, pipeline, polling, reports, telemetry
from riskwatch import evaluate as evaluation
from riskwatch.collect import Tools
from riskwatch.compiling import compile_rules, digest_of
from riskwatch.decode import Decoded, Origin, decode
from riskwatch.detect import detect, for_vendors
from riskwatch.errors import ConfigError, ConfigErrors, Invalid, NotFound, Unavailable
from riskwatch.model import AuditEntry, Publisher, Verdict, VerdictKind, subjects_of, vendor_of
from riskwatch.reports import IngestReport, PollReport, RereadReport
from riskwatch.serve import present
from riskwatch.settings import Config
from riskwatch.store import EventFilter, UnitOfWork
from riskwatch.store.sql import SqlStore
from riskwatch.store.sql import backup as backup_database
from riskwatch.store.sql import restore as restore_database

if TYPE_CHECKING:
    from riskwatch.alert_app import AlertApp
    from riskwatch.alert_desk import AlertDesk
    from riskwatch.collect import Source
    from riskwatch.collect.http import HttpClient
    from riskwatch.decode.saved import Saved
    from riskwatch.detect import Ruleset
    from riskwatch.model import Article, Detection

Bar = Callable[[int, str], AbstractContextManager[Any]]
DATABASE = "riskwatch.sqlite"
BULK = 50  # new articles of one ingest: an archive, of which nobody is told at once
INGEST_BATCH = 500  # articles stored in one transaction
TICK_SECONDS: Mapping[str, int] = {
    "poll": 30, "absorb": 15, "score": 300,
    "evaluate": 300, "flush": 5, "digests": 30, "dispatch": 5, "reap": 60,
}  # fmt: skip
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


class Given(TypedDict, total=False):
    """What the caller knows of saved files that they do not say themselves."""

    published: datetime | None
    publisher: str | None
    url: str | None


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
        self._demo_dir = demo_dir  # the demo lives in SQLite, whatever database the settings name
        self.counters = telemetry.Counters()
        self.log = structlog.get_logger("riskwatch")
        self._is_read_by_ruleset = False

    @cached_property
    def database_url(self) -> str:
        """Where rows live: the setting, else a SQLite file in the data folder."""
        if self.config.settings.database_url is not None and self._demo_dir is None:
            return self.config.settings.database_url.get_secret_value()
        return f"sqlite:///{(self.data_dir / DATABASE).resolve()}"

    @cached_property
    def store(self) -> SqlStore:
        """The database at the newest schema: SQLite is migrated at once, PostgreSQL only by `migrate`."""
        is_sqlite = self.database_url.startswith("sqlite")
        if is_sqlite:
            self.make_folder()
        store = SqlStore(self.database_url)
        if store.check_schema() != "head":
            if not is_sqlite:
                raise ConfigErrors(
                    (
                        ConfigError(
                            "the database is not at this version's schema; run `riskwatch migrate`",
                            path="database",
                        ),
                    )
                )
            store.migrate()
        return store

    def make_folder(self) -> None:
        """Make the data folder where it is missing. Raises Unavailable where it cannot be."""
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            told = error.strerror or type(error).__name__
            raise Unavailable(
                f"the data folder {self.data_dir} cannot be used ({told}); set RISKWATCH_DATA_DIR"
            ) from error

    @cached_property
    def pepper(self) -> bytes:
        """Key of the API keys' hashes: the setting, else made once beside the SQLite file, mode 0600."""
        given = self.config.settings.secret_key
        if given is not None:
            return given.get_secret_value().encode()
        if not self.database_url.startswith("sqlite"):
            raise ConfigErrors(
                (
                    ConfigError(
                        "is needed with PostgreSQL, since each host would make its own; "
                        "set it or RISKWATCH_SECRET_KEY_FILE to at least 32 random characters",
                        path="environment",
                        key="RISKWATCH_SECRET_KEY",
                    ),
                )
            )
        path = self.data_dir / "secret_key"
        self.make_folder()
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_bytes()
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        return path.read_bytes()

    @cached_property
    def ruleset(self) -> Ruleset:
        """All rules of this configuration, compiled."""
        return compile_rules(self.config)

    @cached_property
    def ruleset_digest(self) -> str:
        """Name of the ruleset; it is known without compiling."""
        return digest_of(self.config)

    @cached_property
    def publishers(self) -> Mapping[str, Publisher]:
        """Publishers by lower-case name and by domain."""
        made: dict[str, Publisher] = {}
        for publisher in self.config.publishers:
            for key in (publisher.name, *publisher.domains):
                made.setdefault(key.lower(), publisher)
        return made

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
            key=lambda: self.pepper,
        )

    @cached_property
    def desk(self) -> AlertDesk:
        """What the web and the command line may ask of alerting."""
        from riskwatch.alert_desk import AlertDesk  # noqa: PLC0415 - loads what serves

        return AlertDesk(self.alerts)

    # ---------------------------------------------------------------------------- articles in
    def resolve(self, publisher: str | None, url: str | None) -> Publisher | None:
        """Return the register's entry of an outlet, by name, else by the domain of the address."""
        for key in ((publisher or "").lower(), *domains_of(url), *domains_of(f"https://{publisher}/")):
            if key in self.publishers:
                return self.publishers[key]
        return None

    def saved(self, paths: Sequence[Path], *, given: Given, bar: Bar | None = None) -> Iterator[Saved]:
        """Decode saved files (folders are read whole), one result a file, sorted by path."""
        from riskwatch.decode.saved import Known, Saved, SavedError, decode_saved  # noqa: PLC0415 - loads lxml

        known = Known(given.get("published"), given.get("publisher"), given.get("url"))
        found = (file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path]))
        files = [file for file in found if file.is_file()]
        with bar(len(files), "reading") if bar else nullcontext() as moving:
            for file in files:
                try:
                    body = file.read_bytes()
                except OSError as error:
                    yield Saved((), (SavedError(str(file), None, f"cannot be read: {error.strerror}"),))
                    continue
                yield decode_saved(str(file), body, resolve=self.resolve, now=self.now(), known=known)
                if moving is not None:
                    moving.update(1)

    def ingest(self, paths: Sequence[Path], *, given: Given, bar: Bar) -> IngestReport:
        """Store saved articles, then detect, merge and score them."""
        report = IngestReport()
        files = 0
        for saved in self.saved(paths, given=given, bar=bar):
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
        for saved in self.saved(paths, given={}):
            yield from ((f"error: {error}", True) for error in saved.errors)
            for article in saved.articles:
                ready = replace(article, id=article.guid, first_seen_at=self.now())
                found = detect(ready, self.ruleset)
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
        """Poll Sources, then detect, merge and score what they brought."""
        choice = polling.Choice(only=tuple(only), everything=everything)
        due = polling.count_due(self.parts, choice)
        gc.freeze()  # modules and settings live as long as the process: no collection need look at them
        with bar(due, "polling") as moving:
            polls = polling.poll_sources(self.parts, self.tools, choice, progress=moving.update)
        return PollReport(polls, self.absorb(bar))

    def poll_due(self) -> None:
        """Poll the Sources that are due."""
        polling.poll_sources(self.parts, self.tools, polling.Choice())

    # ---------------------------------------------------------------------------- answers
    def events(self, *, vendor: str | None, types: Sequence[str], limit: int) -> list[dict[str, Any]]:
        """Return events, newest first, as the API shows them."""
        self._known_subject(vendor)
        for type_ in types:
            if type_ not in self.config.taxonomy:
                raise NotFound("event type", type_, f"there are {', '.join(sorted(self.config.taxonomy))}")
        where = EventFilter(
            vendor=None if vendor is None else vendor_of(vendor),
            home=vendor if vendor and "/" in vendor else None,
            types=tuple(types),
            limit=limit,
        )
        with self.store.begin(write=False) as unit:
            return [
                present.event(event, self.config.taxonomy[event.type])
                for event in unit.events.list_events(where)
            ]

    def scores(
        self, subject: str | None, *, as_of: datetime | None, known_at: datetime | None
    ) -> list[dict[str, Any]]:
        """Score one Subject or all of them, by id."""
        self._known_subject(subject)
        subjects = [subject] if subject else pipeline.affected(self.parts, self.config.vendors)
        now = self.now()
        with self.store.begin(write=False) as unit:
            reader = pipeline.Reader(self.parts, unit)
            made = [reader.score(s, as_of=as_of or now, known_at=known_at or now) for s in subjects]
        return [present.summary(score, name=self._name(score.subject)) for score in made]

    def explain(self, subject: str, *, as_of: datetime | None, known_at: datetime | None) -> dict[str, Any]:
        """Tell where the points of a Subject went."""
        self._known_subject(subject)
        now = self.now()
        with self.store.begin(write=False) as unit:
            reader = pipeline.Reader(self.parts, unit)
            made = reader.score(subject, as_of=as_of or now, known_at=known_at or now)
            events = {e.id: e for e in reader.events(vendor_of(subject), known_at=known_at or now)}
        return present.explanation(made, events, self.config.taxonomy, name=self._name(subject))

    def history(self, subject: str, *, days: int) -> list[dict[str, Any]]:
        """Return the stored Snapshots of a Subject, oldest first."""
        self._known_subject(subject)
        now = self.now()
        with self.store.begin(write=False) as unit:
            rows = unit.scores.history(subject, since=now - timedelta(days=days), until=now)
        return [{**present.summary(row.score, name=self._name(subject)), "cause": row.cause} for row in rows]

    def judge(
        self, event_id: str, kind: str, *, author: str, reason: str, values: Mapping[str, str]
    ) -> dict[str, Any]:
        """Store a Verdict on an Event; return the Event as it stands then."""
        verdict = Verdict(new_id(), event_id, VerdictKind(kind), author, reason, dict(values))
        event = pipeline.judge(self.parts, verdict)
        return present.event(event, self.config.taxonomy[event.type])

    def _name(self, subject: str) -> str:
        return present.name_of(subject, self.config.vendors)

    def _known_subject(self, subject: str | None) -> None:
        if subject is None:
            return
        vendor = self.config.vendors.get(vendor_of(subject))
        if vendor is None or subject not in subjects_of(vendor):
            known = [s for v in self.config.vendors.values() for s in subjects_of(v)]
            names = {present.name_of(s, self.config.vendors).lower(): s for s in known}
            near = [names[n] for n in difflib.get_close_matches(subject.lower(), names, n=1)]
            near = near or difflib.get_close_matches(subject, known, n=1)
            raise NotFound("vendor or line", subject, f"did you mean {near[0]}?" if near else "")

    # ---------------------------------------------------------------------------- rules
    def lint_rules(self) -> list[str]:
        """Return the findings of the checks R01 to R09, a line each."""
        from riskwatch.detect.lint import lint  # noqa: PLC0415 - loads RE2

        return [str(finding) for finding in lint(self.config.rules, self.ruleset, quiet=self.config.quiet)]

    def lint_rates(self, corpus: Path) -> list[str]:
        """Return the findings of the check R10 on a pool of news, a line each."""
        from riskwatch.detect.rates import too_frequent  # noqa: PLC0415 - loads RE2

        found = too_frequent(self._pool(corpus), self.ruleset, self.config.rates)
        return [str(finding) for finding in found]

    def propose_names(self, corpus: Path, *, least: int) -> list[str]:
        """Return YAML lines of names that at least so many articles of a pool of news hold."""
        from riskwatch.detect.curate import propose  # noqa: PLC0415 - loads RE2

        return reports.proposed_names(propose(self._pool(corpus), self.ruleset, least=least))

    def _pool(self, path: Path) -> tuple[Article, ...]:
        from riskwatch.decode.saved import decode_saved  # noqa: PLC0415 - loads lxml

        body = path.read_bytes()
        body = gzip.decompress(body) if path.suffix == ".gz" else body
        articles = decode_saved("pool.jsonl", body, resolve=self.resolve, now=self.now()).articles
        if not articles:
            raise Invalid("corpus", f"no article can be read in {path}")
        return articles

    def test_rules(self, only: Sequence[str]) -> tuple[list[str], bool]:
        """Run the tests inside the rules; return lines to print and whether one failed."""
        from riskwatch.detect.check import run_tests  # noqa: PLC0415 - loads RE2

        known = {rule.id for rule in self.config.rules}
        for id_ in only:
            if id_ not in known:
                raise NotFound("rule", id_)
        results = run_tests(self.ruleset).results
        return reports.rule_tests([r for r in results if not only or r.rule in only])

    def evaluate(
        self, paths: Sequence[Path], *, title_only: bool, baseline: str | None = None, bar: Bar
    ) -> tuple[evaluation.Report, list[str]]:
        """Measure detection on labelled items (JSON Lines); return the report and the bad lines."""
        items, errors = self._labelled(paths, title_only=title_only)
        with bar(len(items), "evaluating") as moving:
            report = evaluation.evaluate(
                items,
                _stage(self.ruleset, baseline),
                taxonomy=self.config.taxonomy,
                ruleset=self.ruleset_digest,
                progress=moving.update,
            )
        return report, errors

    def benchmark(
        self, name: str, path: Path, *, part: str, baseline: str | None = None, bar: Bar
    ) -> benchmark.Report:
        """Measure detection on an outside benchmark, every company of its texts a vendor."""
        documents = benchmark.read(name, path, self.ruleset, part=part)
        vendors = benchmark.companies(documents, self.ruleset)
        blockers = self.config.blockers.model_copy(update={"blockers": ()})
        ruleset = for_vendors(self.ruleset, tuple(vendors.values()), blockers)
        with bar(len(documents), f"reading {name}") as moving:
            report = benchmark.measure(
                name, documents, _stage(ruleset, baseline), part=part, progress=moving.update
            )
        return replace(report, ruleset=baseline or self.ruleset_digest)

    def _labelled(
        self, paths: Sequence[Path], *, title_only: bool
    ) -> tuple[list[evaluation.Item], list[str]]:
        names = {
            name.lower(): vendor.id
            for vendor in self.config.vendors.values()
            for name in (*present.names((*vendor.brands, *vendor.names)), vendor.name, vendor.id)
        }
        items, errors = list[evaluation.Item](), list[str]()
        for path in paths:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                try:
                    items.append(self._item(line, names, title_only=title_only))
                except (ValueError, KeyError, TypeError, Invalid) as error:
                    errors.append(f"{path}:{number}: {error}")
        return items, errors

    def _item(self, line: str, names: Mapping[str, str], *, title_only: bool) -> evaluation.Item:
        from riskwatch.decode.saved import decode_saved  # noqa: PLC0415 - loads lxml

        row = json.loads(line)
        kept = {k: v for k, v in row.items() if k != "labels"}
        if title_only:
            kept = {k: v for k, v in kept.items() if k not in ("summary", "lead", "text")}
        kept.setdefault("summary", kept.pop("lead", None))
        saved = decode_saved("item.jsonl", json.dumps(kept).encode(), resolve=self.resolve, now=self.now())
        if not saved.articles:
            raise ValueError(saved.errors[0].reason)
        article = replace(saved.articles[0], id=str(row.get("id", "")), first_seen_at=self.now())
        labels = tuple(evaluation.label_of(label, names, self.config.taxonomy) for label in row["labels"])
        return evaluation.Item(article, labels, str(row.get("story") or row.get("id")))

    # ---------------------------------------------------------------------------- database and keys
    def migrate(self) -> bool:
        """Bring the schema to this version; return whether anything was done."""
        store = SqlStore(self.database_url)
        done = store.migrate()
        store.close()
        return done

    def backup(self, file: Path) -> str:
        """Copy the SQLite database while it is in use; return what to tell."""
        path = self._sqlite_file()
        if path is None:
            return "on PostgreSQL use: pg_dump --format=custom --file=riskwatch.dump DATABASE"
        backup_database(path, to=file)
        return f"{file} holds the database; keep {self.data_dir / 'secret_key'} too, for the API keys"

    def restore(self, file: Path) -> list[str]:
        """Put a backup in place of the SQLite database, which nobody may have open; return what to tell."""
        path = self._sqlite_file()
        if path is None:
            return [
                "on PostgreSQL stop every `riskwatch serve` and `riskwatch worker`, then use:",
                "pg_restore --clean --if-exists --single-transaction --dbname=DATABASE riskwatch.dump",
            ]
        self.close()
        self.make_folder()
        kept = restore_database(file, path)
        store = SqlStore(self.database_url)
        migrated = store.migrate(is_kept=True)
        with store.begin() as unit:
            unit.access.add_audit(self._noted("restore", {"file": str(file), "replaced": kept and str(kept)}))
        store.close()
        return [
            f"{path} holds what {file} held" + (", brought to this version's schema" if migrated else ""),
            "there was no database before"
            if kept is None
            else f"{kept} keeps the database that was replaced",
            self._about_the_secret_key(),
        ]

    def export(self, file: Path, *, bar: Bar) -> str:
        """Write all rows to a file of JSON lines; return what to tell."""
        rows = self.store.export_rows(file, program=__version__, bar=bar)
        return (
            f"{file} holds {sum(rows.values())} rows of {len(rows)} tables; keep it as safe as the database, "
            "and the secret key with it, for the API keys"
        )

    def import_(self, file: Path, *, bar: Bar) -> list[str]:
        """Take the rows of an export into this database, which must be empty; return what to tell."""

        def noted(unit: UnitOfWork, rows: int) -> None:
            unit.access.add_audit(self._noted("import", {"file": str(file), "rows": rows}))

        rows = self.store.import_rows(file, bar=bar, then=noted)
        return [f"imported {sum(rows.values())} rows of {len(rows)} tables", self._about_the_secret_key()]

    def _noted(self, action: str, after: Mapping[str, Any]) -> AuditEntry:
        return AuditEntry(0, self.now(), "command line", action, "database", None, after)

    def _about_the_secret_key(self) -> str:
        if self.config.settings.secret_key is not None:
            return "API keys go on working if RISKWATCH_SECRET_KEY is what it was there"
        path = self.data_dir / "secret_key"
        verb = "go on working if" if path.exists() else "do not work until"
        return f"API keys {verb} {path} is the file kept with those data, or RISKWATCH_SECRET_KEY its content"

    def _sqlite_file(self) -> Path | None:
        store = SqlStore(self.database_url)
        try:
            return store.file
        finally:
            store.close()

    def add_key(self, name: str, *, scopes: Sequence[str], expires_at: datetime | None = None) -> str:
        """Make an API key; its whole text is returned this once."""
        from riskwatch.serve.access import mint_key  # noqa: PLC0415 - loads Flask

        key, shown = mint_key(
            name, scopes=tuple(scopes), pepper=self.pepper, now=self.now(), expires_at=expires_at
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
            pepper=self.pepper,
            base_url=base_url,
            anonymous_read=allowed,
            demo_day=demo_day,
            **({} if demo_day is None else {"anonymous_per_minute": 6000}),
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
        jobs = {"poll": self.poll_due, "absorb": self.absorb_due, "score": self.daily}
        ticks = {**jobs, **self.alerts.ticks()}
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
        return self.add_key("first", scopes=("read", "review", "admin"))

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
        if "store" in self.__dict__:
            self.store.close()
            del self.__dict__["store"]
            for name in ("parts", "_bare_parts", "alerts", "desk"):
                self.__dict__.pop(name, None)


def decoded(body: bytes, *, content_type: str | None, source: Source, url: str, now: datetime) -> Decoded:
    """Decode the bytes of a Source."""
    origin = Origin(
        source_id=source.id,
        url=url or None,
        publisher=source.title or source.publisher,
        family=source.publisher,
        tier=source.tier,
        source_class=source.source_class,
        lang=source.lang,
        covers=source.vendors,  # a source for all speaks for none of its own
        digest=source.digest,
        identity=source.identity,
    )
    return decode(body, content_type=content_type, origin=origin, now=now)


def domains_of(url: str | None) -> Iterator[str]:
    """Give the host of an address and the domains above it, longest first."""
    try:
        host = urlsplit(url or "").hostname or ""
    except ValueError:  # a name that is no address, put where an address is looked for
        return
    labels = host.removeprefix("www.").split(".")
    for start in range(len(labels) - 1):
        yield ".".join(labels[start:])


def _stage(ruleset: Ruleset, baseline: str | None) -> Callable[[Article], Detection]:
    """Return the detection stage to measure: the rules, or the words that they are compared with."""
    return keywords.keyword_reader(ruleset) if baseline else lambda article: detect(article, ruleset)
