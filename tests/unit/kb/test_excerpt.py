from kb.excerpt import Excerpt, best_excerpt, marks

ANSWER = "本人带身份证就能办。地址是住宅的，要先让居委会出证明。费用不收。七个工作日拿证，可以邮寄到家。"


def even(_pair: str) -> float:
    return 1.0


def marked(text: str, found: tuple[tuple[int, int], ...]) -> list[str]:
    return [text[start:end] for start, end in found]


def test_the_sentence_that_bears_on_the_question_is_chosen() -> None:
    excerpt = best_excerpt("居委会出证明", ANSWER, even, longest=25)
    assert excerpt.text == "地址是住宅的，要先让居委会出证明。费用不收。"
    assert marked(excerpt.text, excerpt.marks) == ["居委会出证明"]


def test_without_a_better_sentence_the_answer_begins_at_its_beginning() -> None:
    assert best_excerpt("结婚登记", ANSWER, even, longest=12).text == "本人带身份证就能办。"


def test_an_endless_sentence_is_cut() -> None:
    excerpt = best_excerpt("公积金", "公积金" * 100, even, longest=20)
    assert len(excerpt.text) == 20
    assert excerpt.text.endswith("…")


def test_nothing_to_tell() -> None:
    assert best_excerpt("公积金", "。。\n ", even) == Excerpt("", ())


def test_marks_follow_the_sound_and_leave_common_words_alone() -> None:
    text = "办理居住证，办理Ａ级ktv"
    pairs = {"ban'li": 0.2, "ju'zhu": 3.0, "zhu'zheng": 2.0, "ktv": 4.0}
    assert marked(text, marks(text, pairs)) == ["居住证", "ktv"]
    assert marked("驻证明", marks("驻证明", pairs)) == ["驻证"]


def test_marks_are_places_in_the_original_text() -> None:
    # NFKC makes three characters of ㎏㏄'s kind; places behind them must not move.
    text = "㍿㍿公积金"
    assert marked(text, marks(text, {"gong'ji": 1.0, "ji'jin": 1.0})) == ["公积金"]


def test_markup_stays_text() -> None:
    assert best_excerpt("证明", "<img src=x onerror=alert(1)>证明。", even).text == "<img src=x onerror=alert(1)>证明。"
