"""The demonstration base is what the project promises of it."""

from collections import Counter

from bench.knowledge import DEMONSTRATION, load_articles, read_lines

ARTICLES = load_articles()


def test_there_are_enough_articles_of_enough_departments() -> None:
    assert len(ARTICLES) >= 120
    assert len({article.unit for article in ARTICLES.values()}) >= 20
    assert sum(1 for path in DEMONSTRATION.glob("articles_*.jsonl") for _ in read_lines(path)) == len(ARTICLES), (
        "a key occurs twice"
    )


def test_every_article_has_three_ways_of_asking_that_no_other_has() -> None:
    asked = Counter(question for article in ARTICLES.values() for question in article.alternatives)
    assert {question for question, count in asked.items() if count > 1} == set()
    assert [key for key, article in ARTICLES.items() if len(article.alternatives) < 3] == []


def test_pairs_name_real_articles() -> None:
    pairs = [row for path in DEMONSTRATION.glob("pairs_*.jsonl") for row in read_lines(path)]
    assert {row[side] for row in pairs for side in "ab"} <= set(ARTICLES)
    kinds = Counter(row["kind"] for row in pairs)
    assert kinds["confusable"] >= 20
    assert kinds["region"] + kinds["date"] >= 10


def test_every_article_says_what_a_caller_needs() -> None:
    for key, article in ARTICLES.items():
        assert article.matter, key
        assert article.source, key
        assert "演示" in article.source, f"{key} is not marked as demonstration"
        assert len(article.answer) >= 40, key
