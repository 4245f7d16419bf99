"""Pages as a real Chromium lays them out: what does not fit, and what goes wrong."""

import html
import json
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attente.grafana.preview.page import WIDTH
from attente.grafana.preview.pictures import PROGRAMS, browser, flags
from needs import cannot_run

HANG_S = 60

# Looks at each page in a frame of its own. A table may have more rows than its panel shows: there people scroll.
_LOOK = """
const found = {};
addEventListener("error", event => { (found.errors ??= []).push(String(event.message)); });
addEventListener("load", () => {
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument;
    const cut = [];
    const say = (element, how) => cut.push(
      `${element.closest("section")?.querySelector(".title")?.textContent ?? element.tagName}: ${how}: ` +
      `${element.textContent.slice(0, 60)}`);
    for (const element of page.querySelectorAll("h1, h2, .title, .variables, .named, .figure, .entry, .bar .name, th"))
      if (element.scrollWidth > element.clientWidth + 1) say(element, `${element.className || element.tagName} is cut`);
    for (const element of page.querySelectorAll("section:not(.table) .content, .legend"))
      if (element.scrollHeight > element.clientHeight + 1) say(element, "is too high");
    for (const element of page.querySelectorAll(".content"))
      if (element.scrollWidth > element.clientWidth + 1) say(element, "is too wide");
    for (const element of page.querySelectorAll("svg text")) {
      const box = element.getBoundingClientRect(), around = element.ownerSVGElement.getBoundingClientRect();
      if (box.left < around.left - 1 || box.right > around.right + 1) say(element, "leaves the drawing");
    }
    if (page.body.scrollWidth > frame.clientWidth) say(page.body, "is too wide");
    found[frame.name] = {
      titles: [...page.querySelectorAll("section .title")].map(each => each.textContent),
      cut: [...new Set(cut)],
    };
  }
  document.body.innerHTML = "";
  document.body.dataset.found = JSON.stringify(found);
});
"""


def looked_at(pages: Mapping[str, str]) -> dict[str, Any]:
    """Of each page the titles of its panels, and what is cut off, in words."""
    program = browser()
    if program is None:
        cannot_run(f"none of {', '.join(PROGRAMS)} is installed")
    assert program is not None
    frames = "".join(
        f'<iframe name="{name}" width="{WIDTH}" height="4000" srcdoc="{html.escape(page)}"></iframe>'
        for name, page in pages.items()
    )
    with tempfile.TemporaryDirectory(prefix="attente-chromium-", ignore_cleanup_errors=True) as folder:
        file = Path(folder, "frames.html")
        file.write_text(f"<!DOCTYPE html><meta charset=utf-8><script>{_LOOK}</script><body>{frames}</body>")
        command = [
            program,
            *flags(f"{folder}/profile"),
            f"--window-size={WIDTH + 60},1000",
            "--dump-dom",
            file.as_uri(),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=HANG_S)
    seen = re.search(r'data-found="([^"]*)"', done.stdout)
    assert seen is not None, done.stderr[-2_000:]
    found: dict[str, Any] = json.loads(html.unescape(seen[1]))
    return found
