"""A page of made-up contents in headless Chromium; skipped where there is none."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rogseg.report.contents import Contents
from rogseg.report.page import render_page

CHROMIUM = Path("/usr/bin/chromium")

OpenPage = Callable[..., Any]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"no {CHROMIUM}: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[OpenPage]:
    """Open contents as a file; afterwards no request may have left the file and nothing may stand in the console."""
    contexts, requests, complaints = [], [], []

    def open_(contents: Contents, width: int = 1280, scheme: str = "light", scripts: bool = True) -> Any:
        path = tmp_path / "report.html"
        path.write_text(render_page(contents), encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()
    assert requests
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []
    # The tests read pixels back, which the page itself never does.
    assert [text for text in complaints if "willReadFrequently" not in text] == []
