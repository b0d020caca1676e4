"""Documents per second and core: the whole detection beside a bare RE2 scan and Python's re, in one run.

Items are counted after as many others have warmed the automata, as in a service that runs.

.venv/bin/python tests/bench/bench_detect.py ../shared/data/pool.jsonl.gz [--documents 8000]
"""

import argparse
import gzip
import json
import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import re2

from riskwatch import settings
from riskwatch.compiling import compile_rules
from riskwatch.decode.saved import decode_saved
from riskwatch.detect import detect
from riskwatch.model import Article, Vendor


def articles(path: Path, limit: int) -> list[Article]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = [line for line in file if json.loads(line).get("lang") == "en"]
    step = max(1, len(lines) // limit)
    body = "".join(lines[::step][:limit]).encode()
    return list(decode_saved("pool.jsonl", body, now=datetime(2026, 9, 1, tzinfo=UTC)).articles)


def long_ones(short: list[Article], words: int) -> list[Article]:
    """Join titles and summaries until they have as many words as an article."""
    made, gathered = [], list[str]()
    for article in short:
        gathered.append(f"{article.title}. {article.text}")
        if sum(len(text.split()) for text in gathered) >= words:
            made.append(
                Article(
                    article.source_id, article.guid, gathered[0], "\n\n".join(gathered), None,
                    article.published_at, "en", article.publisher, article.family, article.tier,
                )
            )  # fmt: skip
            gathered.clear()
    return made


def per_second(work: Callable[[Article], object], documents: Iterable[Article]) -> float:
    started, count = time.process_time(), 0
    for document in documents:
        work(document)
        count += 1
    return count / (time.process_time() - started)


def names(vendors: Iterable[Vendor]) -> list[str]:
    found = [a if isinstance(a, str) else a.text for v in vendors for a in (*v.names, *v.brands)]
    return sorted(set(found), key=len, reverse=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("pool", type=Path)
    arguments.add_argument("--documents", type=int, default=8000)
    chosen = arguments.parse_args()
    config = settings.load(environ={})
    started = time.process_time()
    ruleset = compile_rules(config)
    compiled_in = time.process_time() - started
    both = articles(chosen.pool, 2 * chosen.documents)
    short, others = both[::2], both[1::2]
    long = long_ones(short, 380)
    pattern = "|".join(re.escape(name) for name in names(config.vendors.values()))
    fast, slow = re2.compile(pattern), re.compile(pattern)
    print(f"{len(config.rules)} rules, {len(config.vendors)} vendors; compiled in {compiled_in:.2f} s of CPU")
    cold = per_second(lambda a: detect(a, ruleset), others)
    print(f"in the first {len(others)} items, while RE2 still builds its automata: {cold:.0f}/s")
    for label, documents in (("title and summary", short), ("380 words", long)):
        whole = per_second(lambda a: detect(a, ruleset), documents)
        bare = per_second(lambda a: fast.search(a.text), documents)
        slowly = per_second(lambda a: slow.search(a.text), documents[:500])
        print(
            f"{label:<18} {len(documents):>6} items: detect {whole:>8.0f}/s, {whole / slowly:.2f} x a bare "
            f"scan for the vendors' names with re, {whole / bare:.3f} x the same with RE2"
        )


if __name__ == "__main__":
    main()
