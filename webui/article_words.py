"""What an article's state is called, and how two revisions differ. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import SequenceMatcher

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from kb.article_content import ArticleContent
from kb.article_view import ArticleView

ENDING_SOON = timedelta(days=30)
FIELDS = {
    "title": _l("标题"),
    "alternatives": _l("市民常这样问"),
    "matter": _l("事项名称"),
    "matter_code": _l("事项编码"),
    "unit": _l("承办单位"),
    "region": _l("区域"),
    "category": _l("分类"),
    "answer": _l("口径"),
    "conditions": _l("办理条件"),
    "materials": _l("需要带什么"),
    "promised_time": _l("承诺时限"),
    "fee": _l("收费"),
    "window": _l("到哪里办"),
    "valid_from": _l("生效日期"),
    "valid_to": _l("失效日期"),
    "source": _l("依据"),
}


@dataclass(frozen=True)
class Badge:
    """A state as a word and a colour."""

    word: str
    kind: str = ""


def badge(article: ArticleView, today: date) -> Badge:
    """Return the state as people see it: an article past its date is told to nobody, whatever its status says."""
    if article.status == "published":
        if article.content.valid_to is not None and article.content.valid_to < today:
            return Badge(_("已过期"), "bad")
        if article.content.valid_from > today:
            return Badge(_("未生效"), "info")
        return Badge(_("已发布"), "ok")
    return Badge(_("已停用")) if article.status == "retired" else Badge(_("草稿"))


def ending(valid_to: date | None, today: date) -> str:
    """Return warn for a date that comes soon, bad for one that is past, else nothing."""
    if valid_to is None or valid_to > today + ENDING_SOON:
        return ""
    return "bad" if valid_to < today else "warn"


@dataclass(frozen=True)
class Piece:
    """A stretch of text: same, gone or new."""

    kind: str
    text: str


@dataclass(frozen=True)
class Difference:
    """A field whose words changed, on both sides."""

    field: str
    before: Sequence[Piece]
    after: Sequence[Piece]


def differences(before: ArticleContent, after: ArticleContent) -> list[Difference]:
    """Return the fields that differ, in the order of the page."""
    found = []
    for name in FIELDS:
        old, new = _text(getattr(before, name)), _text(getattr(after, name))
        if old != new:
            found.append(Difference(name, *_pieces(old, new)))
    return found


def _pieces(old: str, new: str) -> tuple[list[Piece], list[Piece]]:
    before: list[Piece] = []
    after: list[Piece] = []
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if old[i:j]:
            before.append(Piece("same" if kind == "equal" else "gone", old[i:j]))
        if new[k:m]:
            after.append(Piece("same" if kind == "equal" else "new", new[k:m]))
    return before, after


def _text(value: object) -> str:
    if value is None:
        return ""
    return "\n".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


@dataclass(frozen=True)
class Branch:
    """A category on the tree: its whole path is the filter, its last part the word."""

    path: str
    word: str
    level: int
    count: int


def tree(categories: dict[str, int], chosen: str) -> list[Branch]:
    """Return the first level, and the second of the one that is chosen. Categories are written 企业登记/设立."""
    heads: dict[str, int] = {}
    for category, count in categories.items():
        head = category.partition("/")[0]
        heads[head] = heads.get(head, 0) + count
    open_head = chosen.partition("/")[0]
    branches: list[Branch] = []
    for head, count in sorted(heads.items(), key=lambda item: (-item[1], item[0])):
        branches.append(Branch(head, head, 0, count))
        if head == open_head:
            children = sorted((category, number) for category, number in categories.items() if category.startswith(f"{head}/"))
            branches += [Branch(category, category.partition("/")[2], 1, number) for category, number in children]
    return branches
