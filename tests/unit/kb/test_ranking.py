import json
from pathlib import Path

import pytest

from bench.knowledge import SmallBase, load_articles
from kb.article_content import read_content
from kb.ranking import FEATURES, Calibration, Judge, confidence, read_calibration, weigh
from kb.segmentation import Segmenter, Tokens

CALIBRATION = Calibration(means=(2.0, 0.1), deviations=(0.5, 0.1), weights=(2.0, 1.0), intercept=-3.0, threshold=15)


class Even:
    def rarity(self, kind: str, token: str) -> float:
        return 2.0


def test_probability_grows_with_every_feature() -> None:
    low, more_evidence, more_likeness = (CALIBRATION.probability(features) for features in ((2, 0.1), (3, 0.1), (2, 0.5)))
    assert low < more_evidence < 1
    assert low < more_likeness < 1
    assert low == pytest.approx(1 / (1 + 2.718281828**3))


@pytest.mark.parametrize(("probability", "shown"), [(0.0, 0), (0.144, 14), (0.999, 100)])
def test_confidence_is_whole_percent(probability: float, shown: int) -> None:
    assert confidence(probability) == shown


def test_likeness_is_that_of_the_most_similar_question() -> None:
    segmenter = Segmenter()
    questions = [weigh(segmenter.tokens(text), Even()) for text in ("公积金提取", "居住证签注")]
    judge = Judge(segmenter.tokens("居住证签注"), Even())
    assert judge.features(10.0, questions)[1] == pytest.approx(1.0)
    assert judge.features(10.0, questions[:1])[1] == 0.0
    assert judge.features(10.0, [])[1] == 0.0


def test_an_empty_topic_measures_nothing() -> None:
    assert Judge(Tokens(), Even()).features(0.0, [weigh(Tokens(), Even())]) == (0.0, 0.0)


def test_the_committed_calibration_fits_this_program() -> None:
    calibration = read_calibration()
    assert 1 <= calibration.threshold <= 50
    assert all(weight > 0 for weight in calibration.weights)


def test_a_calibration_of_other_features_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps({"features": ["luck"]}))
    with pytest.raises(ValueError, match=r"bench\.calibrate"):
        read_calibration(path)


def test_what_nobody_wrote_about_is_below_the_threshold_and_a_matter_by_its_name_above() -> None:
    base, calibration = SmallBase(load_articles()), read_calibration()

    def best(text: str) -> int:
        return max(confidence(calibration.probability(hit.features)) for hit in base.candidates(text))

    assert best("请问结婚登记要带什么") >= calibration.threshold
    assert best("今天天气怎么样会不会下雨呢") < calibration.threshold
    assert best("好的好的谢谢你没有别的事了再见") < calibration.threshold


def test_evidence_means_the_same_in_a_larger_collection() -> None:
    row = {"unit": "局", "region": "市", "category": "类", "valid_from": "2025-01-01", "answer": "带证件。"}
    names = [f"{chr(0x4E00 + 7 * at)}{chr(0x6E00 + 11 * at)}登记" for at in range(400)]
    articles = {name: read_content(row | {"title": name, "alternatives": [name]}) for name in names}
    small, large = (SmallBase(dict(list(articles.items())[:count])) for count in (100, 400))
    evidence = [base.candidates(names[3])[0].features[FEATURES.index("evidence")] for base in (small, large)]
    assert evidence[0] == pytest.approx(evidence[1], rel=0.1)
