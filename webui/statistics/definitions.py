"""Every measure in words, once: the tooltip, the definitions page, the foot of a report and the glossary all say this.

A text may name numbers of the site's settings, %(target)s and the like; `Definitions` fills them in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from flask_babel import lazy_gettext as _l


class Numbers(Protocol):
    """The settings that definitions name."""

    @property
    def answer_target_seconds(self) -> int: ...
    @property
    def short_abandon_seconds(self) -> int: ...
    @property
    def repeat_call_days(self) -> int: ...
    @property
    def connect_rate_target(self) -> float: ...
    @property
    def satisfaction_counts_barely(self) -> bool: ...
    @property
    def statistics_least_answers(self) -> int: ...


@dataclass(frozen=True)
class Measure:
    """One measure. `better` says which direction is good: "high", "low", or "" where neither is.

    `clock` says which moment decides the period that a thing counts in; `rules` what is left out, and why.
    """

    key: str
    name: str
    unit: str
    better: str
    numerator: str
    denominator: str
    clock: str
    rules: tuple[str, ...] = ()


_BY_CALL = _l("按来电时间")
_BY_ANSWER = _l("按作答时间")
_BY_OFFER = _l("按发出问卷的时间")
_OFFERED = _l("呼入来电（接听 + 放弃 + 系统未接通）")
_SHORT = _l("等待不足 %(short)s 秒即挂断的来电不计")
_TRANSFER = _l("转接后仍算一通来电，等待只算到第一次接听")
_INBOUND = _l("只计市民打进的来电，坐席外呼不计")
_LATE = _l("逾期才作答的不计")
_WITHDRAWN = _l("市民撤回的答卷不计")
_APART = _l("只计回访问卷，挂机评价另计")
_SAMPLED = _l("抽样回访按抽样权重折算")
_REPEATED = _l("同一号码 %(repeat)s 天内再次来电即视为未解决，匿名来电不计")
_GRADES = _l("非常满意和满意为满意，基本满意%(barely)s")

MEASURES = (
    Measure(
        "service_level",
        _l("%(target)s 秒接通率"),
        "%",
        "high",
        _l("等待不超过 %(target)s 秒即接听的来电"),
        _OFFERED,
        _BY_CALL,
        (_SHORT, _TRANSFER, _INBOUND),
    ),
    Measure(
        "connect_rate_24h",
        _l("24 小时接通率"),
        "%",
        "high",
        _l("24 小时内接听的来电"),
        _l("同一 24 小时内的呼入来电"),
        _l("按来电时间，每个整点向前滚动 24 小时"),
        (_SHORT, _l("一天中任一整点低于 %(connect)s%% 即为该天未达标")),
    ),
    Measure(
        "average_speed_of_answer",
        _l("平均应答"),
        _l("秒"),
        "low",
        _l("已接听来电的等待时间之和"),
        _l("接听的来电"),
        _l("按来电时间，等待从进入队列起算"),
        (_TRANSFER, _INBOUND),
    ),
    Measure(
        "handle_time",
        _l("平均处理"),
        "",
        "",
        _l("通话（含保持）与话后时间之和"),
        _l("接听的来电"),
        _BY_CALL,
        (_l("转接的各段通话与各自的话后合计"), _INBOUND),
    ),
    Measure("abandonment", _l("放弃率"), "%", "low", _l("接听前市民挂断的来电"), _OFFERED, _BY_CALL, (_SHORT, _INBOUND)),
    Measure(
        "occupancy",
        _l("坐席利用率"),
        "%",
        "",
        _l("振铃、通话、保持和话后的时间"),
        _l("登录且未小休的时间"),
        _l("按状态所在的日期"),
        (_l("跨零点的状态按天分开计"),),
    ),
    Measure(
        "first_contact_resolution",
        _l("首次解决率"),
        "%",
        "high",
        _l("即时答复且此后没有再次来电的来电"),
        _l("观察期已满的接听来电"),
        _l("按来电时间，%(repeat)s 天观察期满后才计入"),
        (_REPEATED, _INBOUND),
    ),
    Measure(
        "direct_answer_rate",
        _l("即时答复率"),
        "%",
        "high",
        _l("处理结果为即时答复的来电"),
        _l("接听的来电"),
        _BY_CALL,
        (_l("未写处理结果的计入分母"), _INBOUND),
    ),
    Measure(
        "adoption_rate",
        _l("建议采用率"),
        "%",
        "high",
        _l("采用了建议答案的来电"),
        _l("出现过建议答案的接听来电"),
        _BY_CALL,
        (_l("已撤销的采用不计"), _INBOUND),
    ),
    Measure(
        "transcript_lag",
        _l("转写延迟"),
        _l("秒"),
        "low",
        _l("实时转写片段从说完到出字的秒数之和"),
        _l("实时转写片段"),
        _BY_CALL,
        (_l("话后转写不计"),),
    ),
    Measure(
        "response_rate",
        _l("响应率"),
        "%",
        "high",
        _l("承诺时限内联系到市民的回访"),
        _l("承诺时限到期的回访"),
        _l("按承诺时限"),
        (_l("取消的和未抽中的回访不计"), _l("没有承诺时限的回访不计")),
    ),
    Measure(
        "solved_rate",
        _l("解决率"),
        "%",
        "high",
        _l("市民认为已解决的回访"),
        _l("明确回答是否解决的回访"),
        _BY_ANSWER,
        (_LATE, _WITHDRAWN, _APART, _SAMPLED),
    ),
    Measure(
        "satisfaction",
        _l("满意率"),
        "%",
        "high",
        _l("评为满意及以上的回访"),
        _l("作出评价的回访"),
        _BY_ANSWER,
        (_GRADES, _LATE, _WITHDRAWN, _APART, _SAMPLED),
    ),
    Measure(
        "contact_rate",
        _l("接触率"),
        "%",
        "high",
        _l("联系到市民的回访"),
        _l("应回访"),
        _l("按应回访产生的时间"),
        (_l("取消的和未抽中的回访不计"),),
    ),
    Measure(
        "survey_response_rate",
        _l("问卷应答率"),
        "%",
        "high",
        _l("至少答了一题的问卷"),
        _l("发出的问卷"),
        _BY_OFFER,
        (_WITHDRAWN, _APART),
    ),
    Measure(
        "refusal_rate",
        _l("拒访率"),
        "%",
        "low",
        _l("联系到但拒绝回访或要求不再回访的市民"),
        _l("联系到市民的回访"),
        _l("按应回访产生的时间"),
        (_l("取消的和未抽中的回访不计"),),
    ),
    Measure(
        "after_call_rate",
        _l("挂机评价参评率"),
        "%",
        "high",
        _l("挂机后按键评价的通话"),
        _l("邀请评价的通话"),
        _BY_OFFER,
        (_l("未参评的分为跳过和挂断，逐坐席列出"), _l("不与回访合并")),
    ),
    Measure(
        "after_call_satisfaction",
        _l("挂机满意率"),
        "%",
        "high",
        _l("挂机评价为满意及以上的通话"),
        _l("作出挂机评价的通话"),
        _BY_ANSWER,
        (_GRADES, _WITHDRAWN, _l("不与回访合并")),
    ),
)


class Definitions:
    """The measures with the site's numbers in their words."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers: Mapping[str, object] = {
            "target": numbers.answer_target_seconds,
            "short": numbers.short_abandon_seconds,
            "repeat": numbers.repeat_call_days,
            "connect": f"{numbers.connect_rate_target:g}",
            "barely": str(_l("也算满意") if numbers.satisfaction_counts_barely else _l("不算满意")),
        }
        self._by_key = {measure.key: measure for measure in MEASURES}

    def all(self) -> list[Measure]:
        """Return every measure, filled in, in the order of the page."""
        return [self.measure(measure.key) for measure in MEASURES]

    def measure(self, key: str) -> Measure:
        """Return one measure with every text filled in, in the language of the page."""
        one = self._by_key[key]
        fill = self._fill
        rules = tuple(fill(rule) for rule in one.rules)
        unit = one.unit if one.unit == "%" else str(one.unit)
        return Measure(key, fill(one.name), unit, one.better, fill(one.numerator), fill(one.denominator), fill(one.clock), rules)

    def sentence(self, key: str) -> str:
        """Return the definition as one line: "分子 ÷ 分母。时间口径；规则；规则。"."""
        one = self.measure(key)
        return str(_l("%(part)s ÷ %(whole)s。%(rules)s。")) % {
            "part": one.numerator,
            "whole": one.denominator,
            "rules": str(_l("；")).join((one.clock, *one.rules)),
        }

    def _fill(self, text: str) -> str:
        return str(text) % self._numbers
