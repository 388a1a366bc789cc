"""Lists of people as they are pasted and as spreadsheets write them."""

import pytest

from webui.campaign_people import UnreadableListError, decoded, read_people


def test_pasted_lines_with_and_without_the_rest() -> None:
    assert read_people("13800138000\n\n13900139000，李先生，居住证\n") == [
        {"phone": "13800138000"},
        {"phone": "13900139000", "person": "李先生", "matter": "居住证"},
    ]


def test_a_heading_says_what_is_what() -> None:
    text = "姓名,电话,部门,备注\n王女士,138 0013 8000,市公安局,急"
    assert read_people(text) == [{"person": "王女士", "phone": "138 0013 8000", "unit": "市公安局"}]
    assert read_people("Name\tPHONE\nAnn\t1") == [{"person": "Ann", "phone": "1"}]


@pytest.mark.parametrize("text", ["姓名,部门\n王女士,市公安局", '"never closed\x00\n' + "a,b\n" * 50_002])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(UnreadableListError):
        read_people(text)


def test_files_of_spreadsheets() -> None:
    assert read_people(decoded("\ufeff电话\n1".encode())) == [{"phone": "1"}]
    assert read_people(decoded("电话,姓名\n1,王".encode("gb18030"))) == [{"phone": "1", "person": "王"}]
    for content in (b"\xff\xfe\x00\x01", b"a\x00b", bytes(range(128, 256))):
        with pytest.raises(UnreadableListError):
            decoded(content)


def test_nothing_is_nobody() -> None:
    assert read_people("\n , ,\n") == []
