"""The form of a rule: its fields as sent or as kept, read into a definition, with an error beside each field that is wrong."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from pydantic import ValidationError

from callback.rule import AllSampled, OnDate, OnDay, RuleDefinition, ShareSampled, StrataSampled

LISTS = ("halls", "units", "regions", "categories", "matter_codes", "results", "queues")
MOST_WAYS = 3
# What the definition itself refuses, so that the catalogue knows it.
_REFUSALS = [
    _l("每种方式只能出现一次"),
    _l("回拨和整改回访不抽样，每人都要联系"),
    _l("回拨和整改回访不受回访间隔限制"),
    _l("排队回拨只能由坐席接待"),
    _l("短信方式需要问卷"),
    _l("自动外呼方式需要问卷"),
]
# Where an error of the whole definition belongs: by words of its own.
_PLACES = {"抽样": "sampling", "间隔": "ask_every_days", "坐席接待": "ways", "需要问卷": "questionnaire", "每种方式": "ways"}


@dataclass
class RuleForm:
    """What the form holds, all of it text."""

    key: str = ""
    title: str = ""
    reason: str = "case_closed"
    halls: str = ""
    units: str = ""
    regions: str = ""
    categories: str = ""
    matter_codes: str = ""
    results: str = ""
    queues: str = ""
    with_confidential: bool = False
    when: str = "next_day"
    at: str = "09:00"
    working_days: str = "1"
    date: str = ""
    ways: list[str] = field(default_factory=lambda: ["agent", "", ""])
    questionnaire: str = ""
    ask_every_days: str = "0"
    sampling: str = "all"
    share: str = "10"
    by: str = "unit"
    shares: str = ""
    other: str = "0"
    seed: str = ""
    priority: str = ""
    promised_working_days: str = ""
    expires_after_days: str = "14"
    sms_wait_days: str = "3"


def sent(form: Mapping[str, str], ways: list[str]) -> RuleForm:
    """Return the form as it was sent."""
    names = set(asdict(RuleForm())) - {"with_confidential", "ways"}
    values = {name: form.get(name, "").replace("\x00", "").strip() for name in names}
    shown = [way for way in ways[:MOST_WAYS] if way]
    return RuleForm(
        **values,
        with_confidential=form.get("with_confidential") == "1",
        ways=shown + [""] * (MOST_WAYS - len(shown)),
    )


def form_of(key: str, definition: RuleDefinition) -> RuleForm:
    """Return the form of a rule that is kept."""
    when, sampling = definition.when, definition.sampling
    form = RuleForm(
        key=key,
        title=definition.title,
        reason=definition.reason,
        with_confidential=definition.who.with_confidential,
        when=when.kind,
        ways=[*definition.ways, *[""] * (MOST_WAYS - len(definition.ways))],
        questionnaire=definition.questionnaire,
        ask_every_days=str(definition.ask_every_days),
        sampling=sampling.kind,
        priority=_text(definition.priority),
        promised_working_days=_text(definition.promised_working_days),
        expires_after_days=str(definition.expires_after_days),
        sms_wait_days=str(definition.sms_wait_days),
    )
    for name in LISTS:
        setattr(form, name, "\n".join(getattr(definition.who, name)))
    if hasattr(when, "at"):
        form.at = when.at.strftime("%H:%M")
    if isinstance(when, OnDay):
        form.working_days = str(when.working_days)
    if isinstance(when, OnDate):
        form.date = when.date.isoformat()
    if isinstance(sampling, ShareSampled):
        form.share = _percent(sampling.share)
    if isinstance(sampling, StrataSampled):
        form.by, form.other = sampling.by, _percent(sampling.other)
        form.shares = "\n".join(f"{name}={_percent(share)}" for name, share in sampling.shares.items())
    if not isinstance(sampling, AllSampled):
        form.seed = sampling.seed
    return form


def read(form: RuleForm) -> tuple[RuleDefinition | None, dict[str, str]]:
    """Return the definition that a form makes, or what is wrong with it by field."""
    errors: dict[str, str] = {}
    values: dict[str, Any] = {
        "title": form.title,
        "reason": form.reason,
        "who": {**{name: _list(getattr(form, name)) for name in LISTS}, "with_confidential": form.with_confidential},
        "when": _when(form),
        "ways": [way for way in form.ways if way],
        "questionnaire": form.questionnaire,
        "ask_every_days": form.ask_every_days or "0",
        "sampling": _sampling(form, errors),
        "priority": form.priority or None,
        "promised_working_days": form.promised_working_days or None,
        "expires_after_days": form.expires_after_days,
        "sms_wait_days": form.sms_wait_days,
    }
    try:
        definition = RuleDefinition.model_validate(values)
    except ValidationError as error:
        return None, {**_placed(error), **errors}
    return (None, errors) if errors else (definition, {})


def _when(form: RuleForm) -> dict[str, Any]:
    values: dict[str, Any] = {"kind": form.when}
    if form.when in {"next_day", "on_day", "on_date"}:
        values["at"] = form.at
    if form.when == "on_day":
        values["working_days"] = form.working_days
    if form.when == "on_date":
        values["date"] = form.date
    return values


def _sampling(form: RuleForm, errors: dict[str, str]) -> dict[str, Any]:
    if form.sampling == "share":
        return {"kind": "share", "share": _fraction(form.share, "share", errors), "seed": form.seed}
    if form.sampling == "strata":
        shares = {}
        for line in form.shares.splitlines():
            name, _sign, share = line.replace("＝", "=").rpartition("=")
            if line.strip():
                shares[name.strip()] = _fraction(share, "shares", errors)
        return {
            "kind": "strata",
            "by": form.by,
            "shares": shares,
            "other": _fraction(form.other, "other", errors),
            "seed": form.seed,
        }
    return {"kind": form.sampling}


def _fraction(text: str, name: str, errors: dict[str, str]) -> float:
    try:
        percent = float(text.strip().rstrip("%％") or "0")
    except ValueError:
        percent = -1
    if not 0 <= percent <= 100 or (name == "share" and percent == 0):
        errors[name] = _("比例是 0–100 的百分数。")
        return 1
    return percent / 100


def _placed(error: ValidationError) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in error.errors():
        place = [str(part) for part in one["loc"] if isinstance(part, str)]
        cause = one.get("ctx", {}).get("error") if one["type"] == "value_error" else None
        words = _(str(cause)) if cause is not None else _words(one["type"])
        name = place[-1] if place else next((name for mark, name in _PLACES.items() if cause and mark in str(cause)), "")
        found.setdefault(_field(place, name), words)
    return found


def _field(place: list[str], name: str) -> str:
    if place[:1] == ["when"]:
        return name if name in {"at", "working_days", "date"} else "when"
    if place[:1] == ["sampling"]:
        return name if name in {"share", "shares", "other", "seed", "by"} else "sampling"
    return name


def _words(kind: str) -> str:
    if kind in {"missing", "string_too_short", "too_short"}:
        return str(_("请填写。"))
    if kind in {"string_too_long", "too_long"}:
        return str(_("太长了。"))
    if kind.startswith(("int", "float", "greater", "less")):
        return str(_("请填写范围内的整数。"))
    return str(_("填写得不对，请核对。"))


def _list(text: str) -> list[str]:
    parts = [part.strip() for line in text.splitlines() for part in line.replace("，", "、").replace(",", "、").split("、")]
    return list(dict.fromkeys(part for part in parts if part))


def _text(value: int | None) -> str:
    return "" if value is None else str(value)


def _percent(share: float) -> str:
    return f"{100 * share:.4g}"
