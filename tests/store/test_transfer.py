"""All tables to a file and back: nothing is lost or changed, and a wrong file leaves nothing behind."""

import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from riskwatch.errors import Conflict, Invalid, Unavailable
from riskwatch.model import Detection
from riskwatch.store import ArticleFilter
from riskwatch.store.sql import SqlStore, archive
from riskwatch.store.sql.rows import _IN, decoded
from riskwatch.store.sql.tables import REVISIONS, metadata
from riskwatch.store.sql.tables_alerts import delivery_attempt
from tests.store.builders import NOON, a_signal, an_article
from tests.store.every_table import add, fill, rows_of

Opener = Callable[[str], SqlStore]
_IMPORT = """
import os, signal, sys
from contextlib import contextmanager
from pathlib import Path
from riskwatch.store.sql import SqlStore

class Bar:
    def update(self, done):
        os.kill(os.getpid(), signal.SIGKILL)

@contextmanager
def bar(length, label):
    yield Bar()

SqlStore(sys.argv[1]).import_rows(Path(sys.argv[2]), bar=bar)
"""


class Steps:
    """A progress bar that counts."""

    def __init__(self) -> None:
        self.length, self.done = 0, 0

    def update(self, steps: int) -> None:
        self.done += steps

    @contextmanager
    def __call__(self, length: int, _label: str) -> Iterator["Steps"]:
        self.length = length
        yield self


def exported(store: SqlStore, file: Path) -> Path:
    store.export_rows(file, program="test", bar=Steps())
    return file


def lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def signed(file: Path, content: list[Any]) -> Path:
    """Write lines as anybody may who knows the format: the checksum is right."""
    body = b"".join(json.dumps(line).encode() + b"\n" for line in content[:-1])
    file.write_bytes(body + json.dumps({"end": sha256(body).hexdigest()}).encode() + b"\n")
    return file


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export of a SQLite database with rows in every table."""
    folder = tmp_path_factory.mktemp("full")
    store = SqlStore(f"sqlite:///{folder}/full.db")
    store.migrate()
    fill(f"sqlite:///{folder}/full.db")
    exported(store, folder / "full.jsonl")
    store.close()
    return folder / "full.jsonl"


def test_every_type_of_a_column_can_be_carried() -> None:
    kinds = {type(column.type) for table in metadata.tables.values() for column in table.columns}

    assert kinds <= _IN.keys()


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_a_round_trip_over_this_database_gives_every_row_again(
    store: SqlStore, url: str, full: Path, tmp_path: Path, open_store: Opener, name: str
) -> None:
    first, back = f"sqlite:///{full.parent}/full.db", f"sqlite:///{tmp_path}/back.db"
    there, home = Steps(), Steps()

    rows = store.import_rows(full, bar=there)
    exported(store, tmp_path / name)
    other = open_store(back)
    other.migrate()
    other.import_rows(tmp_path / name, bar=home)

    assert rows_of(url) == rows_of(first)
    assert rows_of(back) == rows_of(first)
    assert all(rows.values())
    assert there.done == there.length == home.done == sum(rows.values())


def test_an_export_says_what_it_is_and_only_its_owner_may_read_it(full: Path) -> None:
    head, *rows, end = lines(full)

    assert head["format"] == "riskwatch-export"
    assert (head["schema"], head["program"]) == (REVISIONS[-1], "test")
    assert sum(head["rows"].values()) == len(rows)
    assert list(end) == ["end"]
    assert full.stat().st_mode & 0o077 == 0


def test_an_export_is_the_same_from_both_databases(store: SqlStore, full: Path, tmp_path: Path) -> None:
    store.import_rows(full, bar=Steps())

    assert exported(store, tmp_path / "again.jsonl").read_bytes() == full.read_bytes()


def test_log_ins_do_not_travel_and_none_is_smuggled_in(store: SqlStore, full: Path) -> None:
    content = lines(full)
    assert "person" in content[0]["rows"]
    assert "session" not in content[0]["rows"]
    smuggled = {"id_hash": "x", "person": "key 0 é", "created_at": "2026-03-04T12:00:00+00:00"}
    content.insert(-1, ["session", {**smuggled, "expires_at": "9999-01-01T00:00:00+00:00"}])

    with pytest.raises(Invalid, match="there is no table 'session'"):
        store.import_rows(signed(full.with_name("smuggled.jsonl"), content), bar=Steps())


def test_rows_written_after_an_import_get_numbers_of_their_own(store: SqlStore, url: str, full: Path) -> None:
    content = lines(full)
    numbered = [table for table in metadata.sorted_tables if table.autoincrement_column is not None]
    for line in content[1:-1]:
        if line[0] in {table.name for table in numbered}:
            line[1][next(iter(line[1]))] %= 1000  # far from the largest number there is
    store.import_rows(signed(full.with_name("numbered.jsonl"), content), bar=Steps())
    attempt = next(line[1] for line in content[1:-1] if line[0] == "delivery_attempt")

    add(url, delivery_attempt, {**decoded(delivery_attempt, attempt), "id": None})
    with store.begin() as unit:
        (added,) = unit.articles.add_articles([an_article("new")], now=NOON).new
        unit.events.add_signals({(added, 1): [a_signal("new", added)]}, now=NOON)


def test_imported_articles_are_found_by_their_words(
    store: SqlStore, tmp_path: Path, blank_url: str, open_store: Opener
) -> None:
    with store.begin() as unit:
        new = unit.articles.add_articles(
            [an_article("zh", text="阿里巴巴通义千问负责人离职"), an_article("en")], now=NOON
        )
        unit.articles.mark_detected(
            {(id_, 1): Detection((), ()) for id_ in new.new}, ruleset="r", now=NOON
        )  # feeds the index
    exported(store, tmp_path / "x.jsonl")
    other = open_store(blank_url)
    other.migrate()

    other.import_rows(tmp_path / "x.jsonl", bar=Steps())

    with other.begin(write=False) as unit:
        found = unit.articles.articles(ArticleFilter(query="通义千问"))
    assert [article.guid for article in found] == ["zh"]


def test_an_import_goes_into_an_empty_database_only(store: SqlStore, url: str, full: Path) -> None:
    store.import_rows(full, bar=Steps())
    before = rows_of(url)

    with pytest.raises(Conflict, match="into an empty one: name a fresh one"):
        store.import_rows(full, bar=Steps())

    assert rows_of(url) == before


def _article(lines: list[Any]) -> tuple[int, dict[str, Any]]:
    at = next(n for n, line in enumerate(lines) if isinstance(line, list) and line[0] == "article")
    return at, lines[at][1]


def _set(**values: Any) -> Callable[[list[Any]], int]:
    def change(content: list[Any]) -> int:
        at, row = _article(content)
        row.update(values)
        return at + 1

    return change


def _twice(content: list[Any]) -> int:
    at, _row = _article(content)
    content[at + 1] = content[at]
    return at + 2


def _orphan(content: list[Any]) -> int:
    at = next(n for n, line in enumerate(content) if isinstance(line, list) and line[0] == "mention")
    content[at][1]["article_id"] = "nobody"
    return at + 1


def _put(number: int, line: Any) -> Callable[[list[Any]], int]:
    def change(content: list[Any]) -> int:
        content.insert(number, line)
        return number + 1

    return change


def _less(content: list[Any]) -> int:
    del content[-2]
    return 1


def _head(**values: Any) -> Callable[[list[Any]], int]:
    def change(content: list[Any]) -> int:
        content[0].update(values)
        return 1

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_set(first_seen_at="2026-03-04T12:00:00"), "article.first_seen_at: an instant needs a time zone"),
        (_set(first_seen_at="0001-01-01T00:00:00+14:00"), "article.first_seen_at"),
        (_set(first_seen_at=5), "article.first_seen_at: is no text"),
        (_set(first_seen_at=None), "article.first_seen_at: is missing"),
        (_set(revision=2**63), "article.revision: is no whole number"),
        (_set(revision=True), "article.revision: is no whole number"),
        (_set(sketch="AAA="), "article.sketch: is no list of 64-bit numbers"),
        (_set(sketch="!"), "article.sketch"),
        (_set(unknown=1), "the columns are not those"),
        (_twice, "the database refuses the row"),
        (_orphan, "the database refuses the row"),
        (_put(1, ["sqlite_master", {}]), "there is no table 'sqlite_master'"),
        (_put(1, ["article", []]), "the columns are not those"),
        (_put(1, ["setting", {"name": "search_mark", "value": "9"}]), "index of another database"),
        (_put(1, 7), "this is no row"),
        (_put(1, {"end": "x"}), "the checksum is wrong"),
        (_less, "the rows of group_member are not as many"),
        (_head(schema="0001"), "has schema '0001', this riskwatch"),
        (_head(version=2), "format 2 is not known"),
        (_head(format="x\x1b[2J"), "no file of `riskwatch export`"),
        (_head(rows={"article": "7"}), "the rows per table are not told"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_imported(
    store: SqlStore, url: str, full: Path, tmp_path: Path, change: Callable[[list[Any]], int], told: str
) -> None:
    content, before = lines(full), rows_of(url)
    number = change(content)
    file = signed(tmp_path / "wrong.jsonl", content)

    with pytest.raises(Invalid, match="nothing was imported") as caught:
        store.import_rows(file, bar=Steps())

    assert str(caught.value).startswith(f"{file}:{number}: ")
    assert told in str(caught.value)
    assert rows_of(url) == before


@pytest.fixture
def _short_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_LINE_BYTES", 60_000)


@pytest.mark.usefixtures("_short_lines")
@pytest.mark.parametrize(
    "case",
    [
        (lambda whole: whole[: len(whole) // 2], "the file was cut here"),
        (lambda whole: whole[: whole.rindex(b'{"end"')], "the file was cut here"),
        (lambda _whole: b"", "the file was cut here"),
        (lambda whole: whole.replace("技".encode(), "木".encode(), 1), "the checksum is wrong"),
        (lambda whole: whole + whole, "goes on behind its end"),
        (lambda _whole: b"\x00\xff\n", "the line is no JSON"),
        (lambda _whole: b"[" * 50_000 + b"\n", "the line is no JSON"),
        (lambda _whole: b'{"a": ' + b"9" * 5000 + b"}\n", "the line is no JSON"),
        (lambda _whole: b"x" * 70_000, "the line is too long"),
    ],
)
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_cut_or_damaged_file_is_refused_and_nothing_is_imported(
    store: SqlStore,
    url: str,
    full: Path,
    tmp_path: Path,
    case: tuple[Callable[[bytes], bytes], str],
    ending: str,
) -> None:
    body, told = case
    before, content = rows_of(url), body(full.read_bytes())
    file = tmp_path / f"bad.jsonl{ending}"
    file.write_bytes(gzip.compress(content) if ending else content)

    with pytest.raises(Invalid, match=told):
        store.import_rows(file, bar=Steps())

    assert rows_of(url) == before


@pytest.mark.parametrize(
    "body", [lambda packed: packed[:-200], lambda _packed: b"not gzip", lambda packed: packed[:99] + packed]
)
def test_a_damaged_compressed_file_is_refused(
    store: SqlStore, full: Path, tmp_path: Path, body: Callable[[bytes], bytes]
) -> None:
    file = tmp_path / "bad.gz"
    file.write_bytes(body(gzip.compress(full.read_bytes())))

    with pytest.raises(Invalid, match=r"bad\.gz:\d+: the file (was cut|is damaged) here"):
        store.import_rows(file, bar=Steps())


def test_a_file_that_cannot_be_opened_or_written_is_told(store: SqlStore, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        store.import_rows(tmp_path / "none.jsonl", bar=Steps())
    with pytest.raises(Unavailable, match="cannot be written"):
        exported(store, tmp_path / "none" / "x.jsonl")


def test_an_export_that_fails_leaves_the_older_file(
    store: SqlStore, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(url)
    file = tmp_path / "x.jsonl"
    file.write_text("older")
    monkeypatch.setattr(archive, "MAX_LINE_BYTES", 1500)

    with pytest.raises(Unavailable, match="more than 1500 bytes"):
        exported(store, file)

    assert file.read_text() == "older"
    assert list(tmp_path.glob("*.part")) == []


def test_what_is_done_at_the_end_of_an_import_fails_with_it(store: SqlStore, url: str, full: Path) -> None:
    before = rows_of(url)

    def refuse(_unit: object, _rows: int) -> None:
        raise Conflict("no")

    with pytest.raises(Conflict):
        store.import_rows(full, bar=Steps(), then=refuse)

    assert rows_of(url) == before


@pytest.mark.slow
def test_an_import_that_is_killed_leaves_nothing_and_can_be_run_again(
    store: SqlStore, url: str, full: Path
) -> None:
    before = rows_of(url)

    killed = subprocess.run([sys.executable, "-c", _IMPORT, url, str(full)], check=False)

    assert killed.returncode == -9
    assert rows_of(url) == before
    store.import_rows(full, bar=Steps())
    assert rows_of(url) == rows_of(f"sqlite:///{full.parent}/full.db")
