"""Logs in with a real browser and saves pages as pictures at the two sizes of the design, for the eye.

    python -m tests.screens BASE_URL USERNAME PASSWORD FOLDER PATH [PATH …]

Also lists what a browser complains of (refused styles or scripts, failed requests), and what overflows.
"""

import argparse
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

SIZES = ((1366, 768), (1920, 1080))
CHROMIUM = "/usr/bin/chromium"


def log_in(page: Page, base_url: str, username: str, password: str) -> None:
    """Go through the log-in page."""
    page.goto(f"{base_url}/login")
    page.get_by_label("账号").fill(username)
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url(lambda url: "/login" not in url)


def save(page: Page, base_url: str, path: str, folder: Path, width: int, height: int) -> list[str]:
    """Save one page at one size; return what is wrong with it."""
    page.set_viewport_size({"width": width, "height": height})
    response = page.goto(base_url + path)
    page.wait_for_load_state("load")
    name = path.strip("/").replace("/", "_").replace("?", "_").replace("&", "_")[:60] or "home"
    page.screenshot(path=str(folder / f"{name}-{width}.png"))
    troubles = []
    if response is None or response.status >= 400:
        troubles.append(f"{path}: status {response.status if response else '-'}")
    if page.evaluate("document.documentElement.scrollWidth > innerWidth || document.body.scrollWidth > innerWidth"):
        troubles.append(f"{path} at {width}: wider than the window")
    return troubles


def main() -> int:
    """Save the pages named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("base_url", "username", "password"):
        parser.add_argument(name)
    parser.add_argument("folder", type=Path)
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--english", action="store_true")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    troubles: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(locale="zh-CN", timezone_id="Asia/Shanghai")
        page.on("console", lambda said: troubles.append(f"{page.url}: {said.text}") if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: troubles.append(f"{page.url}: {error}"))
        for width, height in SIZES:
            troubles += save(page, given.base_url, "/login", given.folder, width, height)
        log_in(page, given.base_url, given.username, given.password)
        if given.english:
            page.context.add_cookies([{"name": "language", "value": "en", "url": given.base_url}])
        for path in given.paths:
            for width, height in SIZES:
                troubles += save(page, given.base_url, path, given.folder, width, height)
        browser.close()
    print("\n".join(troubles) or "no complaints")  # noqa: T201
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
