"""Who rings and applies: numbers that nobody can have, and names in the manner in which agents write them."""

from collections.abc import Callable, Sequence

from launcher.year.arrays import Ints

BLOCK = "194"
"""No operator was allotted this block of mobile numbers: nobody can be rung by mistake."""
_SPREAD = 48_271_777
_NUMBERS = 10**8
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
_TITLES = ("先生", "女士")
_COMPANIES = (
    "云川锦程商贸有限公司",
    "云川恒达建筑有限公司",
    "云川味源餐饮有限公司",
    "云川青禾农业合作社",
    "云川启明软件有限公司",
    "云川安途运输有限公司",
)


def phone(citizen: int) -> str:
    """Return the number of a citizen: each has their own, spread over the block."""
    return f"{BLOCK}{citizen * _SPREAD % _NUMBERS:08d}"


def phones(citizens: Ints) -> Callable[[range], Sequence[str]]:
    """Return a maker of numbers; empty where the citizen is below 0."""
    return lambda part: [phone(citizen) if citizen >= 0 else "" for citizen in citizens[part.start : part.stop].tolist()]


def name(citizen: int) -> str:
    """Return how a citizen is called."""
    return _SURNAMES[citizen * 31 % len(_SURNAMES)] + _TITLES[citizen * 7 // 3 % 2]


def applicant(citizen: int, is_enterprise: bool) -> str:
    """Return who applied: a person, or a company."""
    return _COMPANIES[citizen % len(_COMPANIES)] if is_enterprise else name(citizen)
