"""Charts as ECharts options: the page and the printed report draw the same. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

COLOURS = ("#1a5bb8", "#1390a5", "#e0a100", "#6438b0")
SYMBOLS = ("circle", "rect", "triangle", "diamond")
_INK, _LINE, _BAD = "#475467", "#dfe4eb", "#b4212d"


@dataclass(frozen=True)
class Line:
    """One line: a value for each label, None where there is none."""

    name: str
    values: Sequence[float | None]


def lines(
    labels: Sequence[str], series: Sequence[Line], *, target: float | None = None, target_name: str = "", unit: str = "%"
) -> dict[str, Any]:
    """Return a chart of lines, perhaps with a dashed target. The axis begins near the lowest value: rates lie close together."""
    known = [value for line in series for value in line.values if value is not None] + ([target] if target is not None else [])
    low, high = _axis(known, unit)
    drawn: list[dict[str, Any]] = [
        {
            "name": line.name,
            "type": "line",
            "symbol": SYMBOLS[number % len(SYMBOLS)],
            "symbolSize": 5,
            "showSymbol": len(labels) <= 62,
            "lineStyle": {"width": 2},
            "connectNulls": False,
            "data": [None if value is None else round(value, 2) for value in line.values],
        }
        for number, line in enumerate(series)
    ]
    if target is not None and drawn:
        drawn[-1]["markLine"] = {
            "symbol": "none",
            "silent": True,
            "animation": False,
            "lineStyle": {"color": _BAD, "type": "dashed"},
            "label": {"formatter": target_name, "position": "insideEndBottom", "color": _BAD},
            "data": [{"yAxis": target}],
        }
    return {
        "animation": False,
        "color": list(COLOURS),
        "textStyle": {"fontFamily": "PingFang SC, Noto Sans CJK SC, Microsoft YaHei, sans-serif", "color": _INK},
        "grid": {"left": 48, "right": 16, "top": 34, "bottom": 26},
        "legend": {"top": 0, "left": 0, "textStyle": {"color": _INK}},
        "tooltip": {"trigger": "axis", "renderMode": "richText"},
        "xAxis": {
            "type": "category",
            "boundaryGap": False,
            "data": list(labels),
            "axisLine": {"lineStyle": {"color": "#c5cdd8"}},
            "axisLabel": {"color": _INK},
        },
        "yAxis": {
            "type": "value",
            "min": low,
            "max": high,
            "axisLabel": {"formatter": "{value}%" if unit == "%" else "{value}", "color": _INK},
            "splitLine": {"lineStyle": {"color": _LINE}},
        },
        "series": drawn,
    }


def _axis(values: Sequence[float], unit: str) -> tuple[float, float]:
    if not values:
        return (0, 100) if unit == "%" else (0, 1)
    low, high = min(values), max(values)
    step = next(size for size in (1, 2, 5, 10, 20, 50, 100, 1e9) if high - low <= 6 * size)
    bottom, top = step * (low // step), step * -(-high // step)
    if unit == "%":
        return max(0, bottom if bottom < low else bottom - step), min(100, max(top, bottom + step))
    return 0, max(top, 1)


def bars(labels: Sequence[str], values: Sequence[float], *, colour: str = COLOURS[0]) -> dict[str, Any]:
    """Return ranked bars, the first on top."""
    return {
        "animation": False,
        "color": [colour],
        "textStyle": {"fontFamily": "PingFang SC, Noto Sans CJK SC, Microsoft YaHei, sans-serif", "color": _INK},
        "grid": {"left": 120, "right": 48, "top": 8, "bottom": 22},
        "xAxis": {"type": "value", "axisLabel": {"color": _INK}, "splitLine": {"lineStyle": {"color": _LINE}}},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": list(labels),
            "axisLabel": {"color": _INK, "width": 108, "overflow": "truncate"},
        },
        "series": [
            {"type": "bar", "barMaxWidth": 16, "data": list(values), "label": {"show": True, "position": "right", "color": _INK}}
        ],
    }
