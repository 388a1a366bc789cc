"""How the voice of the prompts says numbers."""

import pytest

from deploy.spoken_numbers import read_number, spoken


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "零"),
        (10, "十"),
        (11, "十一"),
        (110, "一百一十"),
        (1001, "一千零一"),
        (10010, "一万零一十"),
        (20500, "二万零五百"),
        (100000, "十万"),
        (1050000, "一百零五万"),
        (100001000, "一亿零一千"),
        (123456789, "一亿二千三百四十五万六千七百八十九"),
    ],
)
def test_whole_numbers(number: int, said: str) -> None:
    assert read_number(number) == said


@pytest.mark.parametrize("number", [-1, 10**12])
def test_a_number_out_of_range_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="cannot say"):
        read_number(number)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("请拨打12345", "请拨打幺二三四五"),
        ("请拨打110", "请拨打幺幺零"),
        ("0571-88886666", "零五七幺八八八八六六六六"),
        ("13800138000", "幺三八零零幺三八零零零"),
        ("2026年3月18日9:30", "二零二六年三月十八日九点三十分"),
        ("19:05到21:00", "十九点零五分到二十一点整"),
        ("2个工作日，第2天，2月2日", "两个工作日，第二天，二月二日"),
        ("补贴50000元，占3.5%", "补贴五万元，占百分之三点五"),
        ("还有12位，约2分钟", "还有十二位，约两分钟"),
        ("没有数字的一句话。", "没有数字的一句话。"),
    ],
)
def test_numbers_in_a_sentence(written: str, said: str) -> None:
    assert spoken(written) == said
