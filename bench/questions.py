"""The test questions, typed and spoken: S@1, S@3, right ones shown in three at the threshold, wrongly shown ones.

`python -m bench.questions [--typed-only]` searches a real PostgreSQL and Elasticsearch with the demonstration articles, by the
questions as they are written and as they are heard (bench/spoken.py). Nothing is ever tuned on these questions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import click

from bench.knowledge import DEMONSTRATION_DAY, Question, load_articles, load_questions, matters_by_key
from bench.machine import write_result
from bench.pairs import tell_pairs_apart
from bench.spoken import VOICES, Hearing, compare, heard_live, rendered, voice_folder
from core.clock import SystemClock
from core.database import Database
from core.errors import UnavailableError
from core.migrate import upgrade
from core.settings import PROJECT_DIR, get_settings
from kb.adapters.elastic_search_index import ElasticSearchIndex
from kb.adapters.memory_search_index import MemorySearchIndex
from kb.query import LONGEST_QUERY
from kb.service import KnowledgeService
from telephony.adapters.whisper_weights import live_model_folder
from tests.fakes.conversation import FakeConversation
from tests.servers import elasticsearch_server, postgres_server

QUESTIONS = PROJECT_DIR / "tests" / "data" / "questions" / "test.jsonl"
RIGHT_SHOWN_AT_LEAST = 0.75
WRONGLY_SHOWN_AT_MOST = 0.20


@dataclass(frozen=True)
class Found:
    """One article found for a question, and whether it is sure enough to be shown unasked."""

    key: str
    is_shown: bool


Search = Callable[[str], Sequence[Found]]


@dataclass(frozen=True)
class Figures:
    """Shares. The first three are of answerable questions, the last of unanswerable ones."""

    answerable: int
    unanswerable: int
    right_first: float
    right_in_three: float
    right_shown_in_three: float
    unanswerable_shown: float

    def __str__(self) -> str:
        return (
            f"S@1 {self.right_first:.3f}  S@3 {self.right_in_three:.3f}  right shown in three {self.right_shown_in_three:.3f}  "
            f"unanswerable shown {self.unanswerable_shown:.3f}  ({self.answerable} answerable, {self.unanswerable} not)"
        )

    @property
    def is_good_enough(self) -> bool:
        """Whether the promised figures are met."""
        return self.right_shown_in_three >= RIGHT_SHOWN_AT_LEAST and self.unanswerable_shown <= WRONGLY_SHOWN_AT_MOST


def evaluate(search: Search, questions: Sequence[Question], matter_of: dict[str, str]) -> tuple[Figures, list[str]]:
    """Ask every question; return the figures, and the ids of those that went wrong at the threshold."""
    counts = dict.fromkeys(("first", "three", "shown", "wrong"), 0)
    missed = []
    answerable = sum(question.is_answerable for question in questions)
    for question in questions:
        found = list(search(question.text))[:3]
        right = [question.matter is not None and matter_of[hit.key] == question.matter for hit in found]
        shown = [hit.is_shown for hit in found]
        if question.is_answerable:
            counts["first"] += any(right[:1])
            counts["three"] += any(right)
            is_good = any(is_right and is_shown for is_right, is_shown in zip(right, shown, strict=True))
            counts["shown"] += is_good
        else:
            is_good = not any(shown)
            counts["wrong"] += not is_good
        if not is_good:
            missed.append(question.id)
    others = len(questions) - answerable
    return (
        Figures(
            answerable=answerable,
            unanswerable=others,
            right_first=round(counts["first"] / max(1, answerable), 3),
            right_in_three=round(counts["three"] / max(1, answerable), 3),
            right_shown_in_three=round(counts["shown"] / max(1, answerable), 3),
            unanswerable_shown=round(counts["wrong"] / max(1, others), 3),
        ),
        missed,
    )


def heard_instead(questions: Sequence[Question], heard: dict[str, str]) -> list[Question]:
    """Return all questions with the words that were heard, as far as the desk searches by them; unheard ones find nothing."""
    return [replace(question, text=heard.get(question.id, "")[-LONGEST_QUERY:]) for question in questions]


def hear(questions: Sequence[Question], hotwords: str) -> Hearing | None:
    """Have the questions spoken and heard; None, with the reason printed, where voice or weights are not installed."""
    voice = voice_folder()
    if voice is None:
        print("spoken: skipped, the demonstration voice is not installed (deploy/install_voice.sh)")
        return None
    files = rendered(questions, voice)
    try:
        return compare(questions, heard_live(files, get_settings(), hotwords))
    except UnavailableError as error:
        print(f"spoken: skipped, {error}")
        return None


@dataclass(frozen=True)
class Demonstration:
    """The demonstration base: how it is searched, and the words that its calls are heard with."""

    search: Search
    hotwords: str


@contextmanager
def demonstration() -> Iterator[Demonstration]:
    """Load the demonstration into a real PostgreSQL and Elasticsearch and search it as the product does."""
    with postgres_server() as postgres, elasticsearch_server() as server:
        database = Database(postgres.new_database())
        upgrade(database.url)
        index = ElasticSearchIndex(server.url, server.username, server.password, prefix="bench-questions-", timeout_seconds=30)
        service = KnowledgeService(database, SystemClock(), index, MemorySearchIndex(), FakeConversation())
        service.load_demonstration("bench")
        service.reindex()

        def search(text: str) -> list[Found]:
            result = service.search(text, limit=3, on=DEMONSTRATION_DAY)
            assert not result.degraded, "Elasticsearch was away: the figures would be those of the fall-back"
            return [Found(hit.key, hit.confidence >= result.threshold) for hit in result.hits]

        yield Demonstration(search, service.hotwords())
        index.close()
        database.close()


@click.command()
@click.option("--typed-only", is_flag=True, help="A trial: no speech, and nothing is written.")
def main(typed_only: bool) -> None:
    """Measure, print and write."""
    articles = load_articles()
    matter_of = matters_by_key(articles)
    questions = load_questions(QUESTIONS)
    with demonstration() as base:
        typed, missed = evaluate(base.search, questions, matter_of)
        print("typed ", typed, flush=True)
        result: dict[str, Any] = {"articles": len(articles), "typed": asdict(typed), "typed_missed": missed, "spoken": None}
        hearing = None if typed_only else hear(questions, base.hotwords)
        if hearing is not None:
            spoken, missed = evaluate(base.search, heard_instead(questions, hearing.texts), matter_of)
            print("spoken", spoken)
            print("spoken", hearing, flush=True)
            settings = get_settings()
            result |= {
                "spoken": asdict(spoken),
                "spoken_missed": missed,
                "character_error_rate": [round(rate, 4) for rate in (hearing.character_error_rate, hearing.low, hearing.high)],
                "voices": VOICES,
                "beam": settings.live_beam,
                "model": live_model_folder(settings).name,
                "hotwords": base.hotwords,
            }
    pairs = tell_pairs_apart(articles)
    for kind, figures in pairs.items():
        print(f"pairs that are easily confused ({kind}):", figures)
    result["pairs"] = {kind: asdict(figures) for kind, figures in pairs.items()}
    if not typed_only:
        print("written to", write_result("questions", result, "elasticsearch", "jieba", "rjieba", "pypinyin", "faster-whisper"))
    if not typed.is_good_enough:
        print(f"typed misses what is promised: shown ≥ {RIGHT_SHOWN_AT_LEAST}, wrongly shown ≤ {WRONGLY_SHOWN_AT_MOST}")
        sys.exit(1)


if __name__ == "__main__":
    main()
