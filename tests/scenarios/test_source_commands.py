"""Sources through the command line: taken from another reader's list, checked, listed, given away again."""

from pathlib import Path

import pytest

from tests.scenarios.conftest import CommandLine

pytestmark = pytest.mark.slow
MINE = """<opml version="2.0"><body>
<outline text="Wired again" xmlUrl="https://news.example/wired.xml"/>
<outline text="The Verge" xmlUrl="https://www.theverge.com/rss/index.xml"/>
</body></opml>"""


@pytest.fixture
def riskwatch(tmp_path: Path) -> CommandLine:
    overlay = tmp_path / "config"
    (overlay / "sources").mkdir(parents=True)
    return CommandLine(tmp_path / "data", RISKWATCH_CONFIG_DIR=str(overlay))


def test_a_list_of_another_reader_becomes_sources_that_are_polled_and_exported(
    riskwatch: CommandLine, tmp_path: Path
) -> None:
    mine, target = tmp_path / "mine.opml", tmp_path / "config" / "sources" / "mine.yaml"
    mine.write_text(MINE, encoding="utf-8")

    assert 'id: "wired-again"' in riskwatch.run("sources", "import", str(mine))
    assert "holds 1 sources" in riskwatch.run("sources", "import", str(mine), "--write", str(target))
    riskwatch.run("check-config")
    rows = {row["id"]: row for row in riskwatch.json("sources", "list")["items"]}
    assert (rows["wired-again"]["state"], rows["wired-again"]["last_ok_at"]) == ("never_polled", None)
    assert "wired-again" in riskwatch.run("sources", "list")

    assert "https://news.example/wired.xml" in riskwatch.run("sources", "export")
    riskwatch.run("sources", "export", str(tmp_path / "all.opml"))
    again = riskwatch.run("sources", "import", str(tmp_path / "all.opml"))
    assert "id:" not in again  # all of them are there already


def test_a_file_is_never_written_over(riskwatch: CommandLine, tmp_path: Path) -> None:
    mine, target = tmp_path / "mine.opml", tmp_path / "mine.yaml"
    mine.write_text(MINE, encoding="utf-8")
    target.write_text("[]\n", encoding="utf-8")

    riskwatch.run("sources", "import", str(mine), "--write", str(target), status=1)

    assert target.read_text(encoding="utf-8") == "[]\n"


def test_a_place_that_cannot_be_written_to_is_told(riskwatch: CommandLine, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "no" / "all.opml")

    _, told = riskwatch.begin("sources", "export", nowhere).communicate()

    assert "its folder must be there" in told
    assert "Traceback" not in told


def test_a_hostile_file_is_refused_with_a_sentence(riskwatch: CommandLine, tmp_path: Path) -> None:
    mine = tmp_path / "mine.opml"
    mine.write_text('<!DOCTYPE opml [<!ENTITY f SYSTEM "file:///etc/passwd">]><opml/>', encoding="utf-8")

    assert riskwatch.run("sources", "import", str(mine), status=1) == ""
