"""What a short spoken answer means. Careful with negation: 不满意 is never 满意, and what could be both is neither. Pure."""

import itertools
import re
import unicodedata
from dataclasses import dataclass
from functools import cache

import cn2an
import opencc

from survey.schema import LONGEST_TEXT_ANSWER, NO, YES, Question, QuestionKind, choices


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing was said."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """Something was said that is no answer, or could be two."""


@dataclass(frozen=True, slots=True)
class Unwilling:
    """The person does not want to answer this question, or cannot."""


def heard_value(question: Question, text: str) -> object:
    """Return the value of a recognised answer, or Silence, Unclear or Unwilling."""
    plain = _plain(text)
    if not plain.strip("，"):
        return Silence()
    if question.kind is QuestionKind.TEXT:
        return _words(text, plain)
    bare = _bare(plain)
    if _UNWILLING.fullmatch(bare):
        return Unwilling()
    match question.kind:
        case QuestionKind.RATING:
            return _grade(plain, bare)
        case QuestionKind.YES_NO:
            return _yes_no(question, plain, bare)
        case QuestionKind.SCALE | QuestionKind.NUMBER:
            number = _number(bare)
            return Unclear() if number is None else number
        case _:
            return _chosen(question, plain, bare)


# --- what all kinds share

_SPOKEN_STOPS = re.compile(r"[，。、；：？！,.;:?!…\s]+")
_FILLERS = (
    r"(?:嗯+|啊|呃+|额|哦|噢|哎|诶|那个|这个|就是|那就|那|就|我|我们|觉得|认为|感觉|还是|应该|大概|差不多|"
    r"给你们|给你|给|打|选|选择|按|说|是)"
)
_TAIL = r"(?:吧|了|啊|呀|呢|嘛|哦|的|哈|就行|就好)"
_UNWILLING = re.compile(
    r"(?:不想|不愿意?|不方便|不要|不)(?:说|回答|答|评价|评|打分)|拒绝(?:回答)?|跳过|下一题|下一个|"
    r"不知道|不清楚|不好说|说不好|说不上来|不了解|不晓得|没想好|无可奉告"
)
_NEGATION = re.compile(r"不|没|未|无|否|(?<!特)别|非(?!常)")


@cache
def _simplifier() -> opencc.OpenCC:
    # Recognition of Mandarin writes traditional characters now and then.
    return opencc.OpenCC("t2s")


def _plain(text: str) -> str:
    """Return simplified, half-width words with every pause or stop as one ，."""
    simple = str(_simplifier().convert(unicodedata.normalize("NFKC", text)))
    return _SPOKEN_STOPS.sub("，", simple.strip()).strip("，").replace("滿", "满")


def _bare(plain: str) -> str:
    """Return the words without pauses, opening fillers and closing particles."""
    bare = plain.replace("，", "")
    bare = re.sub(rf"^{_FILLERS}+(?=.)", "", bare)
    return re.sub(rf"(?<=.){_TAIL}+$", "", bare)


_NO_WORDS = re.compile(
    r"(?:没有?|没了|没什么|不用|不必|无)(?:了|什么|其他|别的|要说|意见|建议|想说|可说|补充)*(?:的|了|吧|谢谢)*|(?:就这样|就这些)(?:吧|了|谢谢)*"
)


def _words(text: str, plain: str) -> object:
    if _NO_WORDS.fullmatch(plain.replace("，", "")) or _UNWILLING.fullmatch(_bare(plain)):
        return Unwilling()
    return text.strip()[:LONGEST_TEXT_ANSWER]


# --- 满意 in all its shades

_STRONG = r"(?:非常|很|特别|十分|极其|极|最|超级|超|相当|真的很|太|挺不|实在|简直)"
_UTTERLY = r"(?:一点儿?[都也]|一点儿?|完全|根本|绝对|压根|丝毫)"
_FAIRLY = r"(?:基本上?|还算|勉强|大致|大体上?|一般|凑合|马马虎虎)"
# After 满意, still in the same breath: a question, or taking it back.
_TAKEN_BACK = re.compile(r"(?:吗|么|个|什么|才怪|不(?!错|用|过)|没(?!什么|有?意见|有?问题|得说)|与否|还是|度|的话|就怪)")
_EXTREME_TAIL = re.compile(r"(?:极了|得很|透了|死了|的不得了|得不得了)")
# Said instead of a grade; only as the whole answer, for negation hides in what stands around them.
_GRADE_LISTS = {
    5: "很好 非常好 特别好 太好 好极 满分 非常棒 很棒 五星 五颗星 完美",
    4: "挺好 蛮好 不错 挺不错 蛮不错 很不错 比较好",
    3: "还可以 还行 一般 一般般 马马虎虎 凑合 过得去 中等 还好 基本可以",
    2: "不好 不行 不怎么样 不太好 不太行 不咋地 差 较差 比较差 有点差",
    1: "很差 非常差 太差 极差 特别差 很不好 非常不好 糟糕 太糟糕 差劲 太差劲 差评",
}
_GRADE_WORDS = {word: grade for grade, words in _GRADE_LISTS.items() for word in words.split()}
_KEY_WORDS = re.compile(r"(?:第)?([1-9零一二三四五六七八九])(?:个|号|号键|键|项)?")


def _grade(plain: str, bare: str) -> object:
    if "满意" not in plain:
        if bare in _GRADE_WORDS:
            return _GRADE_WORDS[bare]
        return _by_key(bare, ["5", "4", "3", "2", "1"], typed=int)
    grades = _grades_said(plain)
    if not grades or None in grades:
        return Unclear()
    known = [grade for grade in grades if grade is not None]
    # "满意，非常满意" says one thing twice; "满意还是不满意" says two.
    same_side = min(known) >= 3 or max(known) <= 2
    return known[-1] if same_side and max(known) - min(known) <= 1 else Unclear()


def _grades_said(plain: str) -> list[int | None]:
    grades: list[int | None] = []
    for clause in plain.split("，"):
        if "满意" not in clause and _NEGATION.fullmatch(clause):
            grades.append(None)  # "不，满意": said in two breaths, or a correction?
        pieces = clause.split("满意")
        for before, after in itertools.pairwise(pieces):
            grades.append(_one_grade(before, after))
    return grades


def _one_grade(before: str, after: str) -> int | None:
    if _TAKEN_BACK.match(after):
        return None
    negations = list(_NEGATION.finditer(before))
    if len(negations) > 1 or before.endswith("满不") or "别提" in before:
        return None
    extreme = bool(_EXTREME_TAIL.match(after))
    if not negations:
        if re.search(r"(?:如果|要是|假如|希望|怎么|哪|什么|是否)", before):
            return None
        if re.search(rf"{_FAIRLY}(?:是|还|的)?$", before):
            return 3
        return 5 if extreme or re.search(rf"{_STRONG}(?:的|地|之)?$", before) else 4
    ahead = before[: negations[0].start()]
    utter = re.search(rf"(?:{_STRONG}|{_UTTERLY})(?:的|地|就|是|都|也)*$", ahead)
    return 1 if utter or extreme else 2


def _by_key(bare: str, values: list[str], typed: type[int] | type[str] = str) -> object:
    said = _KEY_WORDS.fullmatch(bare)
    if said is None:
        return Unclear()
    place = int(cn2an.cn2an(said[1], "smart"))
    return typed(values[place - 1]) if 1 <= place <= len(values) else Unclear()


# --- yes and no

_POLITE = re.compile(r"对不起|不好意思|没关系|不客气|没事儿?|谢谢|您好|你好|可不是|是不是说")
_AGREED = re.compile(r"没错|不错|没问题了|可不是")
_HALF = re.compile(
    r"部分|一半|有的|有些|还在|正在|基本|算是|如果|要是|什么|是否|是不是|(?<!没)有没有|解没解决|解不解决|对不对|多久|吗|怎么|"
    r"差一?点|才怪|哪|没问题|不一定|说不清|还是"
)
_AFFIRMED = re.compile(
    r"^(?:是|对|有|行|可以|好|能|会|嗯|愿意|同意|解决|处理|办|已经|已|全|都|当然|肯定|确实|完全)|解决了|办好了|办完了|办成了|处理好了|处理完了"
)


def _yes_no(question: Question, plain: str, bare: str) -> object:
    said = _AGREED.sub("对", _POLITE.sub("", plain)).strip("，")
    if not said:
        return Unclear()
    if (by_label := _own_label(question, said)) is not None:
        return by_label
    if _HALF.search(said):
        return Unclear()
    # 没有啊解决了: a particle ends a breath too, though recognition writes no stop there.
    breaths = re.split(r"，|(?<=[啊呀哦呢嘛])", said)
    clauses = [meaning for clause in breaths if (meaning := _clause_meaning(clause)) != ""]
    if not clauses or None in clauses or len(set(clauses)) > 1:
        by_key = _by_key(bare, [YES, NO])
        return by_key if not clauses else Unclear()
    return clauses[0]


def _clause_meaning(clause: str) -> str | None:
    """Return yes, no, None for what is both, and nothing for a clause that says neither."""
    negations = len(_NEGATION.findall(re.sub(r"没有|还没|不是", "没", clause)))
    if negations > 1:
        # "没有没有", "没有，没解决" repeat themselves; anything else may cancel out.
        return NO if re.fullmatch(r"(没有?|不|不是|还没有?|没有?解决)\1+(?:了|呢|啊|呀)?", clause) else None
    if negations == 1:
        return NO
    if re.fullmatch(_FILLERS + "*", clause) and not re.search(r"是|嗯", clause):
        return ""
    return YES if _AFFIRMED.search(clause) else ""


def _own_label(question: Question, said: str) -> str | None:
    labels = {option.label.zh: option.key for option in question.options}
    bare = _bare(said)
    return labels.get(bare) or labels.get(said)


# --- numbers

_NUMBER = re.compile(
    r"([0-9]{1,9}|[零〇一二两三四五六七八九十百千万]+)(?:分|个|次|天|人|元|块|块钱|岁|颗星|星|点|小时|分钟|遍|趟|年|月)?"
)
_DIGITS_IN_A_ROW = re.compile(r"[一二两三四五六七八九]{2,}")


def _number(bare: str) -> int | None:
    said = _NUMBER.fullmatch(bare)
    if bare in ("满分", "打满分"):
        return 10
    if said is None:
        return None
    digits = said[1].replace("〇", "零").replace("两", "二")
    if _DIGITS_IN_A_ROW.search(digits):
        return None  # 七八 is "seven or eight"
    try:
        return int(cn2an.cn2an(digits, "smart"))
    except ValueError:
        return None


# --- options


def _chosen(question: Question, plain: str, bare: str) -> object:
    said = plain.replace("，", "")
    labels = {value: words.zh for value, words in choices(question)}
    hits = [value for value, label in labels.items() if label and label in said]
    # 办得慢 inside 办得慢没人管: the longer label is what was meant.
    hits = [v for v in hits if not any(labels[v] != labels[o] and labels[v] in labels[o] for o in hits)]
    if any(re.search(r"(?:不|没|没有|不是|并非|不算|不能说)" + re.escape(labels[value]), said) for value in hits):
        return Unclear()
    if question.kind is QuestionKind.MULTIPLE:
        if hits:
            return hits
        one = _by_key(bare, list(labels))
        return one if isinstance(one, Unclear) else [one]
    if len(hits) == 1:
        return hits[0]
    return Unclear() if hits else _by_key(bare, list(labels))
