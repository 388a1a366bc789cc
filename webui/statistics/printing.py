"""The overview on paper: the same ECharts file draws the charts in an interpreter of its own, WeasyPrint sets the pages."""

import json
import threading
from typing import Any

from flask import render_template
from markupsafe import Markup

from core.errors import UnavailableError
from webui.assets import STATIC_DIR

_ECHARTS = STATIC_DIR / "vendor" / "echarts.common.min.js"
# What a browser would have and an interpreter has not; nothing of it does anything without animation.
_BROWSER = "var setTimeout = function () { return 0; }, clearTimeout = function () {}, module, exports, define;"
_DRAW = """
(function () {
  var chart = echarts.init(null, null, {renderer: 'svg', ssr: true, width: dukpy.width, height: dukpy.height});
  chart.setOption(dukpy.option);
  var drawn = chart.renderToSVGString();
  chart.dispose();
  return drawn;
})()
"""


class PrintingUnavailableError(UnavailableError):
    """The libraries that set pages are not on this machine."""


class ChartPrinter:
    """Draws charts as SVG. One interpreter, asked by one thread at a time; it is loaded with the first chart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._interpreter: Any = None

    def svg(self, option: dict[str, Any], width: int, height: int) -> str:
        """Return a chart as an SVG document."""
        with self._lock:
            if self._interpreter is None:
                # Loaded by those who print, and by nobody else.
                import dukpy

                self._interpreter = dukpy.JSInterpreter()
                self._interpreter.evaljs(_BROWSER)
                self._interpreter.evaljs(f"{_ECHARTS.read_text(encoding='utf-8')};0")
            drawn = self._interpreter.evaljs(_DRAW, option=option, width=width, height=height)
        assert isinstance(drawn, str), json.dumps(option)[:200]
        return drawn


CHARTS = ChartPrinter()


def pdf(template: str, context: dict[str, Any]) -> bytes:
    """Return a template as a PDF file. Nothing is fetched while it is set: all that it shows is in it.

    Raises:
        PrintingUnavailableError: Pango is missing.
    """
    try:
        # Takes a second to load, and is needed by few.
        from weasyprint import HTML
    except OSError as error:
        raise PrintingUnavailableError(str(error)) from error
    html = render_template(template, **context)
    made = HTML(string=html, url_fetcher=_refuse).write_pdf()
    assert isinstance(made, bytes)
    return made


def _refuse(url: str, *_args: object, **_kwargs: object) -> dict[str, Any]:
    # A name that a citizen gave may look like a picture's address.
    if url.startswith("data:image/svg+xml"):
        from weasyprint import default_url_fetcher

        fetched: dict[str, Any] = default_url_fetcher(url)
        return fetched
    raise ValueError("nothing is fetched")


def css_text(text: str) -> Markup:
    """Return a text that can stand between quotes in a style sheet."""
    return Markup("".join(character for character in text if character.isprintable() and character not in '"\\<>&'))  # noqa: S704


def overview_pdf(context: dict[str, Any]) -> bytes:
    """Return the overview as a report on A4."""
    drawn = {
        name: Markup(CHARTS.svg(context[chart], 680, 230))  # noqa: S704  # ECharts escapes what it draws
        for name, chart in (("course_svg", "chart"), ("trend_svg", "trend_chart"))
    }
    return pdf("statistics/report.html", {**context, **drawn})
