"""What citizens ask about: the matters of the demonstration knowledge base, how often, in which months, at which hall."""

import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kb.service import DEMONSTRATION
from launcher.year.arrays import Floats, Random

CITY = "云川市"
# Hall, its region, its share of the people who come, its windows.
HALLS: tuple[tuple[str, str, float, int], ...] = (
    ("市政务服务中心", "云川市", 0.46, 24),
    ("城东区政务服务中心", "城东区", 0.20, 12),
    ("城西区政务服务中心", "城西区", 0.14, 10),
    ("高新区政务服务中心", "高新区", 0.12, 10),
    ("云河县政务服务中心", "云河县", 0.08, 6),
)
_ELSEWHERE = 0.3
# How much people ask, by the first part of the category; what is not named counts 1.
_POPULAR = {
    "户籍": 3.2, "医疗保险": 3.4, "社会保险": 3.2, "住房公积金": 3.0, "交通管理": 2.6, "出入境": 2.4, "不动产": 2.2,
    "企业登记": 2.0,
    "就业": 1.8, "婚姻": 1.6, "教育": 1.6, "税务": 1.6, "政务大厅": 1.6, "食品药品": 1.0, "社会救助": 0.8, "养老服务": 0.8,
    "公共资源交易": 0.4, "工程建设": 0.4, "生态环境": 0.3, "农业农村": 0.2, "水务": 0.15, "烟草专卖": 0.4, "特种设备": 0.2,
}  # fmt: skip
# When a theme is asked more than usual: months, and how many times.
_SEASONS = {
    "教育": ((5, 6, 7, 8), 3.5), "税务": ((3, 4, 5, 6), 2.2), "医疗保险": ((9, 10, 11, 12), 2.0), "出入境": ((1, 6, 7), 1.9),
    "企业监管": ((5, 6), 3.0), "就业": ((6, 7, 8), 1.7), "婚姻": ((2, 5), 1.8), "住房公积金": ((3, 7), 1.4), "户籍": ((2, 8), 1.3),
    "养老服务": ((1, 10), 1.6), "安全生产": ((12, 1), 2.5),
}  # fmt: skip
BAD_WEEK_CATEGORY = "医疗保险"
_BAD_WEEK_TIMES = 6.0


@dataclass(frozen=True)
class Matter:
    """One matter with the questions that people ask and the answer that they get."""

    article_key: str
    name: str
    code: str
    unit: str
    region: str
    category: str
    questions: tuple[str, ...]
    answer: str
    materials: tuple[str, ...]
    promised_time: str
    window: str

    @property
    def theme(self) -> str:
        """The first part of the category."""
        return self.category.partition("/")[0]


@dataclass(frozen=True)
class Matters:
    """All of them, and the weights that they are drawn by."""

    all: tuple[Matter, ...]
    base: Floats

    @cached_property
    def units(self) -> tuple[str, ...]:
        """Every unit, once."""
        return tuple(dict.fromkeys(matter.unit for matter in self.all))

    @cached_property
    def unit_of(self) -> Floats:
        """Per matter, the number of its unit."""
        return np.array([self.units.index(matter.unit) for matter in self.all])

    @cached_property
    def is_enterprise(self) -> Floats:
        """Per matter, whether it is for the line of enterprises."""
        return np.array([matter.theme in {"企业登记", "企业监管", "公共资源交易"} for matter in self.all])

    def weights(self, month: int, in_bad_week: bool) -> Floats:
        """Return how often each matter is asked about in a month, 1 being January."""
        weights = self.base.copy()
        for number, matter in enumerate(self.all):
            months, times = _SEASONS.get(matter.theme, ((), 1.0))
            weights[number] *= times if month in months else 1.0
            weights[number] *= _BAD_WEEK_TIMES if in_bad_week and matter.theme == BAD_WEEK_CATEGORY else 1.0
        return np.asarray(weights / weights.sum())

    def of_region(self, region: str) -> list[int]:
        """Return the matters that a hall of the region handles: its own, and those of the whole city."""
        return [number for number, matter in enumerate(self.all) if matter.region in (CITY, region)]


def read_matters(random: Random) -> Matters:
    """Return the matters of the demonstration; how popular each is within its theme is drawn."""
    rows = [
        json.loads(line)
        for path in sorted(DEMONSTRATION.glob("articles_*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]
    rows = [row for row in rows if row["matter_code"]]
    matters = tuple(
        Matter(
            article_key=row["key"],
            name=row["matter"],
            code=row["matter_code"],
            unit=row["unit"],
            region=row["region"],
            category=row["category"],
            questions=(row["title"], *row["alternatives"]),
            answer=row["answer"],
            materials=tuple(row["materials"]),
            promised_time=row["promised_time"],
            window=row["window"],
        )
        for row in rows
    )
    popular = np.array([_POPULAR.get(matter.theme, 1.0) for matter in matters])
    local = np.array([1.0 if matter.region == CITY else _ELSEWHERE for matter in matters])
    return Matters(matters, popular * local * random.lognormal(0.0, 0.7, len(matters)))
