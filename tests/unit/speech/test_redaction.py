import time

import pytest

from telephony.speech.redaction import PartyRedactor, redact, redact_segments


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("我的电话是13800138000。", "我的电话是〔电话号〕。"),
        ("我电话一三八零零一三八零零零", "我电话〔电话号〕"),
        ("幺三八，零零幺三，八零零零", "〔电话号〕"),
        ("138 0013 8000", "〔电话号〕"),
        ("139，1234，5678对吧", "〔电话号〕对吧"),
        ("一三八嗯零零一三那个八零零零", "〔电话号〕"),
        ("一三八，然后是，零零一三，后面是八零零零", "〔电话号〕"),
        ("电话是1三八零零138零零零", "电话是〔电话号〕"),
        ("一三八四个零一二三三", "〔电话号〕"),
        ("一三腰零零妖三八零零零", "〔电话号〕"),
        ("座机是6523-1234", "座机是〔电话号〕"),
        ("0512-65231234转8001", "〔电话号〕转8001"),
        ("+86 138 0013 8000", "+〔电话号〕"),
        ("身份证号码是32010219900307123X", "身份证号码是〔证件号〕"),
        ("32010219900307123 x 谢谢", "〔证件号〕 谢谢"),
        ("三二零一零二一九九零零三零七一二三叉", "〔证件号〕"),
        ("三二零一零二 一九九零 零三零七 一二三四", "〔证件号〕"),
        ("证件号320102-19900307-1234", "证件号〔证件号〕"),
        ("6222021234567890123", "〔卡号〕"),
        ("6222 0212 3456 7890", "〔卡号〕"),
        ("六二二二零二一二三四五六七八九零一二三", "〔卡号〕"),
        ("一三吧零零一三吧零零零", "〔电话号〕"),
        ("电话13800138000身份证32010219900307123X", "电话〔电话号〕身份证〔证件号〕"),
        ("他是13800138000号", "他是〔电话号〕号"),
        ("号码13800138000一共两个", "号码〔电话号〕一共两个"),
    ],
)
def test_numbers_that_identify_a_person_are_masked(said: str, stored: str) -> None:
    assert redact(said) == stored


@pytest.mark.parametrize(
    "said",
    [
        "请拨打12345",
        "12345或者12333，12329",
        "费用是1000000元",
        "1,000,000",
        "¥1234567",
        "一百二十万三千五百",
        "面积123.45平方米",
        "2025年3月18日",
        "2025-03-18 09:30",
        "2025.3.18",
        "20250318",
        "二零二五年三月十八日",
        "2012年到2025年12月31日",
        "2024-2025",
        "2023、2024、2025年",
        "请到101、102、103号窗口",
        "一、二、三号窗口",
        "1、2、3、4、5、6、7、8号窗口",
        "有12、15、18、20号",
        "周一到周五9:00到17:30",
        "9:30-11:30，13:30-17:00",
        "上午九点到十二点，下午一点半到五点",
        "五险一金，三证合一，一网通办，二手房",
        "一共三千五百块",
        "3到5个工作日，10到15天",
        "一楼二楼三楼四楼五楼六楼七楼",
        "第一第二第三第四第五第六第七",
        "邮编215000",
        "工本费10元，2025年1月1日起",
        "我叫张三，今年四十五岁",
    ],
)
def test_other_numbers_stay(said: str) -> None:
    assert redact(said) == said


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        (["我的号码是一三八", "零零一三", "八零零零，谢谢"], ["我的号码是〔电话号〕", "〔电话号〕", "〔电话号〕，谢谢"]),
        (["身份证三二零一零二", "一九九零零三零七", "一二三叉"], ["身份证〔证件号〕", "〔证件号〕", "〔证件号〕"]),
        (["三二零一零二一九九零零三零七一二三", "叉"], ["〔证件号〕", "〔证件号〕"]),
        (["一三八", "嗯", "零零一三八零零零"], ["〔电话号〕", "〔电话号〕", "〔电话号〕"]),
        (["三二零一", "零二，嗯", "一九九零", "零三零七", "一二三四"], ["〔证件号〕"] * 5),
        (["电话一三八零零一三八零零零", "三号窗口"], ["电话〔电话号〕", "三号窗口"]),
        (["电话一三八零零一三八零零零", "一共两个"], ["电话〔电话号〕", "一共两个"]),
        (["我要12", "3号窗口办"], ["我要12", "3号窗口办"]),
        (["他说一三八零零", "这个不对，是一三九"], ["他说一三八零零", "这个不对，是一三九"]),
        (["一三八零零一三", "我再说一遍，一三八零零一三八零零零"], ["〔电话号〕", "我再说一遍，〔电话号〕"]),
    ],
)
def test_a_number_is_masked_across_segments(said: list[str], stored: list[str]) -> None:
    assert redact_segments(said) == stored


def test_an_amendment_names_the_earlier_segment() -> None:
    redactor: PartyRedactor[str] = PartyRedactor()
    assert redactor.redact("a", "号码是一三八零零").text == "号码是一三八零零"
    second = redactor.redact("b", "一三八零零零")
    assert second.text == "〔电话号〕"
    assert [(each.key, each.text) for each in second.amendments] == [("a", "号码是〔电话号〕")]


def test_a_masked_tail_whose_kind_becomes_clear_is_amended_too() -> None:
    redactor: PartyRedactor[int] = PartyRedactor()
    assert redactor.redact(1, "三二零一零二一九九零").text == "〔电话号〕"
    second = redactor.redact(2, "零三零七一二三四")
    assert (second.text, second.amendments[0].text) == ("〔证件号〕", "〔证件号〕")


def test_after_a_long_pause_digits_begin_a_new_number() -> None:
    redactor: PartyRedactor[int] = PartyRedactor()
    redactor.redact(1, "门牌是三二零一")
    later = redactor.redact(2, "四五六", pause_seconds=60)
    assert (later.text, later.amendments) == ("四五六", ())


def test_nothing_raw_is_kept_once_a_number_is_over() -> None:
    redactor: PartyRedactor[int] = PartyRedactor()
    redactor.redact(1, "电话13800138000")
    redactor.redact(2, "我想问一下居住证怎么办")
    assert redactor._chain == []


def test_a_segment_break_in_the_text_itself_changes_nothing() -> None:
    assert redact_segments(["138\x1f0013\x1f8000"]) == ["〔电话号〕"]


@pytest.mark.parametrize("piece", ["嗯", "1嗯", "1吧", "一个", "1 ", "1、2年", "是的然后是", "零"])
def test_hostile_text_costs_no_time(piece: str) -> None:
    began = time.perf_counter()
    redact(piece * 3000)
    assert time.perf_counter() - began < 1.0
