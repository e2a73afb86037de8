# SPDX-License-Identifier: MIT OR Apache-2.0
"""What Chromium makes of the page of `certkeep list --format html`.

argv[1] is the page, argv[2] the same inventory as JSON, argv[3] a folder for
temporary files; with a fourth argument pictures of the page go to that folder.
Writes one line for each complaint to stdout, and at the end `checks` and their
number. Speaks the DevTools protocol over a pair of pipes, without any library.
"""

import base64
import json
import os
import pathlib
import subprocess
import sys

PAGE = pathlib.Path(sys.argv[1]).resolve()
LISTED = json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))["certificates"]
SCRATCH = pathlib.Path(sys.argv[3])
PICTURES = pathlib.Path(sys.argv[4]) if len(sys.argv) > 4 else None
checks = 0

# Text of an element on what is behind it, after WCAG 2.2 §1.4.3; the worst of all.
CONTRAST = """(() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  let worst = [99, ""];
  for (const element of document.querySelectorAll("body *:not(script):not(option)")) {
    if (![...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    let behind = element;
    while (behind && /^rgba\\(.*, 0\\)$/.test(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
    const back = behind ? parse(getComputedStyle(behind).backgroundColor) : [255, 255, 255];
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(back)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, element.outerHTML.slice(0, 80)];
  }
  return worst;
})()"""


def check(good, *what):
    global checks
    checks += 1
    if not good:
        print("page:", " ".join(" ".join(str(part) for part in what).split()))


class Browser:
    """A Chromium of its own, and one tab of it."""

    def __init__(self):
        theirs, ours = os.pipe()
        mine, yours = os.pipe()
        arguments = [
            "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
            f"--user-data-dir={SCRATCH / 'chromium'}", "about:blank",
        ]

        def connect():
            # The protocol's numbers. The pipes' own may be these two already, in any order.
            source, sink = os.dup(theirs), os.dup(yours)
            high = [os.dup(descriptor) for descriptor in (source, sink)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        environment = dict(os.environ, HOME=str(SCRATCH))
        self.process = subprocess.Popen(
            arguments, preexec_fn=connect, close_fds=False, env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(yours)
        self.writing, self.reading = ours, os.fdopen(mine, "rb")
        self.number, self.events, self.session = 0, [], None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def receive(self):
        message = bytearray()
        while (byte := self.reading.read(1)) != b"\0":
            if not byte:
                raise RuntimeError("chromium has gone")
            message += byte
        return json.loads(message)

    def ask(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        sent = json.dumps(message).encode() + b"\0"
        while sent:
            sent = sent[os.write(self.writing, sent):]
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, page):
        self.events.clear()
        self.ask("Page.navigate", url=page.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.receive())

    def evaluate(self, expression):
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def screen(self, width, height):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                 mobile=width < 600)

    def scheme(self, name, media=""):
        features = [{"name": "prefers-color-scheme", "value": name}]
        self.ask("Emulation.setEmulatedMedia", media=media, features=features)

    def picture(self, name, whole=False):
        if PICTURES:
            data = self.ask("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
            (PICTURES / f"{name}.png").write_bytes(base64.b64decode(data))

    def quiet(self, where):
        """Nothing was complained about, and nothing fetched but the page."""
        for event in self.events:
            method, told = event.get("method"), event.get("params", {})
            if method == "Network.requestWillBeSent":
                url = told["request"]["url"]
                check(url == PAGE.as_uri() or url.startswith("data:"), where, "fetches", url)
            elif method == "Log.entryAdded":
                check(False, where, told["entry"]["text"])
            elif method in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
                check(False, where, json.dumps(told)[:300])
        check(True)


SHOWN = "[...document.querySelectorAll('#certificates tbody tr')].filter((row) => row.offsetParent !== null)"


def main():
    browser = Browser()
    browser.screen(1280, 900)
    browser.open(PAGE)
    rows = lambda: browser.evaluate(f"{SHOWN}.length")
    check(rows() == len(LISTED), "rows", rows())
    check(browser.evaluate("document.scripts.length") == 1, "scripts")
    check(browser.evaluate("document.querySelectorAll('[onerror],[onload],[onclick],[onmouseover]').length") == 0,
          "handlers")
    # Nothing that a name asked for has run.
    check(browser.evaluate("typeof window.harmed") == "undefined", "a name was run")
    names = browser.evaluate("[...document.querySelectorAll('tbody th > bdi')].map((name) => name.textContent)")
    for entry in LISTED:
        hidden = any(ord(c) < 32 or 0x202A <= ord(c) <= 0x202E for c in entry["name"])
        check(hidden or entry["name"] in names, "name", entry["name"])
    headings = browser.evaluate("[...document.querySelectorAll('h1,h2')].map((h) => h.localName)")
    check(headings[:1] == ["h1"] and headings.count("h1") == 1 and "h2" in headings, headings)
    check(browser.evaluate("[...document.querySelectorAll('th')].every((th) => th.scope)"), "scope")
    check(browser.evaluate("document.documentElement.lang") == "en", "language")
    check(browser.evaluate("[...document.querySelectorAll('input,select')].every((i) => i.labels.length)"), "labels")
    browser.picture("wide", whole=True)

    # The search, as somebody types, and the choice of a state.
    one = LISTED[-1]["serial_number"]
    wait = "new Promise((done) => setTimeout(done, 300))"
    browser.evaluate(f"search.focus(); search.value = '{one.lower()}'; "
                     f"search.dispatchEvent(new Event('input')); {wait}")
    check(rows() == 1, "found by its serial number:", rows())
    check(browser.evaluate("shown.value") == f"1 of {len(LISTED)}", browser.evaluate("shown.value"))
    browser.evaluate(f"search.value = ''; search.dispatchEvent(new Event('input')); {wait}")
    revoked = sum(entry["status"] == "revoked" for entry in LISTED)
    browser.evaluate("document.getElementById('status').value = 'revoked'; "
                     "document.getElementById('status').dispatchEvent(new Event('change'))")
    check(rows() == revoked, "revoked:", rows(), "of", revoked)
    browser.evaluate("document.getElementById('status').value = ''; "
                     "document.getElementById('status').dispatchEvent(new Event('change'))")
    # Sorted by the end, either way round.
    keys = "[...document.querySelectorAll('tbody tr')].map((row) => Number(row.cells[3].dataset.key))"
    browser.evaluate("document.querySelectorAll('thead button')[3].click()")
    up = browser.evaluate(keys)
    check(up == sorted(up), "not sorted up")
    check(browser.evaluate("document.querySelectorAll('thead th')[3].ariaSort") == "ascending", "aria-sort")
    browser.evaluate("document.querySelectorAll('thead button')[3].click()")
    check(browser.evaluate(keys) == sorted(up, reverse=True), "not sorted down")
    browser.quiet("with its script")

    for scheme in ("light", "dark"):
        browser.scheme(scheme)
        for width in (1280, 390):
            browser.screen(width, 844)
            ratio, where = browser.evaluate(CONTRAST)
            check(ratio >= 4.5, scheme, "contrast", ratio, where)
            inner = browser.evaluate("[document.documentElement.scrollWidth, innerWidth]")
            check(inner[0] <= inner[1], "wider than a screen of", width, inner)
            for place in ("summary", "all"):
                browser.evaluate(f"document.getElementById('{place}').scrollIntoView()")
                browser.picture(f"{scheme}-{width}-{place}")
    browser.screen(320, 640)
    inner = browser.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    check(inner[0] <= inner[1], "wider than the smallest telephone", inner)

    # All of it can be read without a script, and printed.
    browser.screen(1280, 900)
    browser.scheme("light")
    browser.ask("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(PAGE)
    check(rows() == len(LISTED), "rows without a script", rows())
    check(browser.evaluate("getComputedStyle(controls).display") == "none", "controls that do nothing")
    browser.quiet("without its script")
    browser.scheme("light", media="print")
    check(browser.evaluate("getComputedStyle(document.querySelector('thead')).display") == "table-header-group",
          "titles on each printed page")
    # Paper is narrower than a screen, and a table all the same.
    browser.screen(700, 900)
    check(browser.evaluate("getComputedStyle(certificates).display") == "table", "a table on paper")
    pdf = base64.b64decode(browser.ask("Page.printToPDF", preferCSSPageSize=True)["data"])
    check(pdf.startswith(b"%PDF"), "printing")
    if PICTURES:
        (PICTURES / "print.pdf").write_bytes(pdf)
    browser.session = None
    browser.ask("Browser.close")
    browser.process.wait(timeout=30)
    print("checks", checks)


main()
