"""Outside benchmarks: each format is read, every company is a vendor, sentences are judged one by one."""

import json
import os
from pathlib import Path
from typing import Any

import click
import pytest

from riskwatch import benchmark, reports
from riskwatch.app import App
from riskwatch.benchmark_companies import named
from riskwatch.errors import Invalid
from riskwatch.settings import load

SHARED = Path(__file__).parent.parent.parent / "shared"
REAL = Path(os.environ.get("SHARED_DATA", SHARED)) / "data" / "benchmarks"
HEAD = "document_id\tsentence_idx\ttext\ttypes_event_unq\tsubtypes_event_unq\n"


def no_bar(length: int, _label: str) -> Any:
    return click.progressbar(length=length, hidden=True)


@pytest.fixture(scope="module")
def app() -> App:
    return App(load(environ={}))


@pytest.fixture
def sentivent(tmp_path: Path) -> Path:
    rows = [
        ("d1", 0, "Quarter Ends Well for Hooli", [], []),
        ("d1", 1, "Shares of Hooli Inc . fell 3.6 % on Monday .", ["SecurityValue"],
         ["SecurityValue.Decrease_SecurityValue"]),
        ("d1", 2, "Analysts said that Hooli 's shares rose 2 % before .", ["SecurityValue"],
         ["SecurityValue.Increase_SecurityValue"]),
        ("d1", 3, "Investors of Hooli were in a good mood after a long lunch .", ["SecurityValue"], []),
        ("d1", 4, "The weather was fine all day in the valley .", [], []),
    ]  # fmt: skip
    path = tmp_path / "own.tsv"
    path.write_text(HEAD + "".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def casie(tmp_path: Path) -> Path:
    text = "On Monday hackers breached Hooli and stole customer data. It sells boxes. It may be hacked later."
    nuggets = [("breached", "Databreach", "Actual"), ("hacked", "Databreach", "Other")]
    events = [
        {
            "nugget": {"startOffset": text.index(word), "endOffset": text.index(word) + len(word)},
            "subtype": subtype,
            "realis": realis,
        }
        for word, subtype, realis in nuggets
    ]
    whole = {"info": {"date": "2018_05_30"}, "content": text, "cyberevent": {"hopper": [{"events": events}]}}
    (tmp_path / "1.json").write_text(json.dumps(whole), encoding="utf-8")
    return tmp_path


def run(app: App, name: str, path: Path, *, baseline: str | None = None) -> benchmark.Report:
    return app.measuring.benchmark(name, path, part="all", baseline=baseline, bar=no_bar)


def test_tokenised_sentences_are_read_as_printed_text_with_their_labels(app: App, sentivent: Path) -> None:
    (document,) = benchmark.read("sentivent", sentivent, app.ruleset, part="all")

    second = document.sentences[1]
    assert document.article.title == "Quarter Ends Well for Hooli"
    assert document.article.text[second.start : second.end] == "Shares of Hooli Inc. fell 3.6% on Monday."
    assert second.labels == {"SecurityValue", "SecurityValue.Decrease_SecurityValue"}


def test_companies_of_the_texts_are_vendors_and_days_are_not(app: App, sentivent: Path) -> None:
    documents = benchmark.read("sentivent", sentivent, app.ruleset, part="all")

    names = {vendor.name for vendor in benchmark.companies(documents, app.ruleset).values()}

    assert {"Hooli", "Hooli Inc"} <= names
    assert "Monday" not in names


def test_a_word_written_small_more_often_is_no_company_and_watched_ones_have_their_names(
    app: App,
) -> None:
    texts = [
        "The board of Gizmo met, and Gizmo said that Tablets of Gizmo sold well.",
        "The tablets and other tablets did well at Hooli-based Gizmo.",
        "On Tuesday AAL rose with Hooli's Nimbus.",
    ]

    vendors = {vendor.name: vendor for vendor in named(texts, app.ruleset).values()}

    assert "Gizmo" in vendors
    assert vendors.keys().isdisjoint({"Tablets", "Tuesday", "Hooli-based", "Hooli's Nimbus"})
    assert "AAL" in vendors["American Airlines"].names
    assert "AAL" not in vendors


def test_falls_and_rises_are_judged_apart_and_a_miss_is_shown(app: App, sentivent: Path) -> None:
    report = run(app, "sentivent", sentivent)

    classes = report.as_json()["classes"]
    assert classes["SecurityValue.Decrease"]["f1"] == 1.0
    assert classes["SecurityValue.Increase"]["f1"] == 1.0
    assert classes["SecurityValue"]["precision"] == 1.0
    assert classes["SecurityValue"]["recall"] == pytest.approx(2 / 3)
    missed = [e["sentence"] for e in report.errors if (e["class"], e["kind"]) == ("SecurityValue", "miss")]
    assert missed == ["Investors of Hooli were in a good mood after a long lunch."]
    assert "| SecurityValue | 1.00 | 0.67 | 0.80 | 0.77 | 2 | 3 |" in reports.benchmark(report)


def test_a_breach_that_may_come_is_an_event_but_no_actual_one(app: App, casie: Path) -> None:
    (document,) = benchmark.read("casie", casie, app.ruleset, part="all")
    classes = run(app, "casie", casie).as_json()["classes"]

    assert [sorted(s.labels) for s in document.sentences] == [
        ["Databreach", "Databreach/Actual"], [], ["Databreach", "Databreach/Other"],
    ]  # fmt: skip
    assert classes["Databreach + Ransom"]["labels"] == 2
    assert classes["Databreach + Ransom, actual"]["labels"] == 1
    assert classes["Databreach + Ransom, actual"]["recall"] == 1.0


def test_sentences_without_a_document_are_judged_one_by_one(app: App, tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    instances = ["Initech agreed to acquire Hooli for 3 billion dollars .", "Hooli pays a dividend ."]
    path.write_text(json.dumps({"instances": instances, "labels": [["MergerAcquisition"], -1]}))

    report = run(app, "sentifm", path)

    assert report.documents == 2
    assert report.as_json()["classes"]["MergerAcquisition"]["f1"] == 1.0


def test_plain_words_take_every_sentence_that_holds_one(app: App, tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text(json.dumps({"instances": ["So far Hooli sees no merger ."], "labels": [-1]}))

    by_words, by_rules = run(app, "sentifm", path, baseline="keywords"), run(app, "sentifm", path)

    assert by_words.as_json()["classes"]["MergerAcquisition"]["found"] == 1
    assert by_rules.as_json()["classes"]["MergerAcquisition"]["found"] == 0


def test_the_part_set_aside_and_the_rest_make_the_whole(app: App, tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text(json.dumps({"instances": [f"Text {n} ." for n in range(60)], "labels": [-1] * 60}))

    aside, rest, whole = (
        {d.article.guid for d in benchmark.read("sentifm", path, app.ruleset, part=part)}
        for part in benchmark.PARTS
    )

    assert aside
    assert not aside & rest
    assert aside | rest == whole


def test_a_file_of_another_format_is_told(app: App, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('{"texts": []}')

    with pytest.raises(Invalid, match="not in the format of sentifm"):
        benchmark.read("sentifm", path, app.ruleset)
    with pytest.raises(Invalid, match="not in the format of sentivent"):
        benchmark.read("sentivent", tmp_path, app.ruleset)
    with pytest.raises(Invalid, match="holds no text of casie"):
        benchmark.read("casie", tmp_path / "nowhere", app.ruleset)


@pytest.mark.skipif(not REAL.is_dir(), reason="the shared real data is not here")
def test_share_movements_of_the_real_set_are_told_with_few_false_hits(app: App) -> None:
    report = app.measuring.benchmark("sentivent", REAL / "sentivent_train.tsv", part="read", bar=no_bar)

    assert report.documents + len(
        benchmark.read("sentivent", REAL / "sentivent_train.tsv", app.ruleset)
    ) == len(benchmark.read("sentivent", REAL / "sentivent_train.tsv", app.ruleset, part="all"))
    assert report.tallies["SecurityValue"].figures()["precision"] > 0.8
