import pytest

from bench.character_errors import comparable, distance, error_rate, paired_bootstrap


@pytest.mark.parametrize(
    ("written", "compared"),
    [
        ("您好，我想問一下。", "您好我想问一下"),
        ("2015年3月30日", "二零一五年三月三十日"),
        ("1000亿", "一千亿"),
        ("12、105、110、2008", "十二一百零五一百一十二千零八"),
        ("13120820297", "一三一二零八二零二九七"),
        ("3D打印 T恤", "三d打印t恤"),
        ("幺零二", "一零二"),
    ],
)
def test_numerals_scripts_and_marks_do_not_count(written: str, compared: str) -> None:
    assert comparable(written) == compared


def test_distance() -> None:
    assert distance("营业执照", "营业执照") == 0
    assert distance("营业执照", "营业执罩吗") == 2
    assert distance("", "三个字") == 3
    assert error_rate([(1, 4), (0, 6)]) == 0.1


def test_the_bootstrap_tells_worse_from_alike() -> None:
    same = [(n % 3, 10) for n in range(60)]
    worse = [(errors + 2, length) for errors, length in same]
    assert paired_bootstrap(same, same, rounds=500) == {"difference": 0, "low": 0, "high": 0}
    assert paired_bootstrap(worse, same, rounds=500)["low"] > 0
    mixed = [(errors + (1 if i % 2 else -1) * (errors > 0), length) for i, (errors, length) in enumerate(same)]
    found = paired_bootstrap(mixed, same, rounds=500)
    assert found["low"] <= 0 <= found["high"]
