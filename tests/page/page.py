"""Opens an exported page in headless Chromium and goes through it as a reader with a keyboard does.

    page.py CHROMIUM PAGE.html RUN.safetensors

Speaks the DevTools protocol over a pipe, with nothing but the standard library; safetensors reads the trace that the
page was made of. Fails, with a sentence, if anything is fetched, a stage cannot be reached, or a number differs.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

from safetensors import safe_open

SECONDS = 60


class Browser:
    """Chromium behind a pipe of JSON messages, each ended by a zero byte."""

    def __init__(self, chromium, folder):
        to_browser, self.out = os.pipe()
        self.inbox, from_browser = os.pipe()
        flags = ["--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run",
                 "--disable-extensions", "--disable-background-networking", "--disable-dev-shm-usage",
                 f"--user-data-dir={folder}", "about:blank"]
        script = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        self.process = subprocess.Popen(["/bin/bash", "-c", script, "bash", chromium, *flags],
                                        pass_fds=(to_browser, from_browser), stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.rest, self.next_id, self.events, self.session = b"", 0, [], None

    def ask(self, method, **params):
        self.next_id += 1
        message = {"id": self.next_id, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.next_id:
                assert "error" not in answer, f"{method}: {answer}"
                return answer["result"]
            self.events.append(answer)

    def read(self):
        while b"\0" not in self.rest:
            piece = os.read(self.inbox, 1 << 16)
            assert piece, "the browser ended"
            self.rest += piece
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def value(self, expression):
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, f"{expression}: {result}"
        return result["result"].get("value")

    def press(self, key, text=None):
        codes = {"Enter": 13, "Tab": 9, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        common = {"key": key, "windowsVirtualKeyCode": codes.get(key, ord(key[0].upper()))}
        down = dict(common, type="keyDown")
        if text or key == "Enter":
            down["text"] = text or "\r"
        self.ask("Input.dispatchKeyEvent", **down)
        self.ask("Input.dispatchKeyEvent", **dict(common, type="keyUp"))


def main():
    chromium, page, trace = sys.argv[1:4]
    tensors = safe_open(trace, "np")
    meta = json.loads(tensors.metadata()["vitrine_trace"])
    layers = meta["companion"]["family"]["n_layers"]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(chromium, folder)
        try:
            visit(browser, os.path.abspath(page), meta, tensors, layers)
        finally:
            browser.process.kill()
            browser.process.wait()


def visit(browser, page, meta, tensors, layers):
    target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
    browser.session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ["Page", "Runtime", "Network", "Log", "Accessibility"]:
        browser.ask(f"{domain}.enable")
    browser.ask("Page.navigate", url=f"file://{page}")
    wait(browser, "document.readyState === 'complete' && document.getElementById('title')?.textContent !== ''")

    # Every stage, by the keyboard alone.
    names = [browser.value("document.getElementById('title').textContent")]
    for _ in range(60):
        if browser.value("document.getElementById('next').disabled"):
            break
        browser.press("n", "n")
        names.append(browser.value("document.getElementById('title').textContent"))
        assert browser.value("document.getElementById('canvas').textContent.length") > 20, f"{names[-1]} is empty"
        assert "Not in this page" not in browser.value("document.getElementById('canvas').textContent"), names[-1]
        assert browser.value("document.getElementById('formula').textContent.length") > 5, f"{names[-1]} tells nothing"
    assert len(names) == layers + 6 and len(set(names)) == len(names), names

    # The rail, the strip and a map take the focus in their turn.
    reached = set()
    browser.value("document.activeElement.blur(); document.getElementById('theme').focus()")
    for _ in range(80):
        browser.press("Tab")
        place = "document.activeElement.closest('#rail, #strip, #next, #back, .map')"
        reached.add(browser.value(f"{place} ? ({place}.id || 'map') : ''"))
    assert {"rail", "strip", "back"} <= reached, reached
    browser.value("document.querySelectorAll('#rail a')[2].focus()")
    browser.press("Enter")
    assert browser.value("document.getElementById('title').textContent") == "Block 0"

    # The arrows choose a token in the strip and a cell in the map; the chosen row is marked where its numbers are.
    chosen = "document.getElementById('strip').getAttribute('aria-activedescendant')"
    browser.value("chooseToken(run.tokens.length - 1); document.getElementById('strip').focus()")
    before = browser.value(chosen)
    browser.press("ArrowLeft")
    assert browser.value(chosen) != before, before
    assert browser.value("document.querySelectorAll('.token[aria-selected=true]').length") == 1
    browser.value("document.querySelector('.map').focus()")
    token = browser.value("state.token")
    browser.press("ArrowUp")
    assert browser.value("state.token") == token - 1, token
    band = "document.querySelector('.band.query').getBoundingClientRect()"
    ring = "document.querySelector('.ring').getBoundingClientRect()"
    apart = browser.value(f"Math.abs({band}.top + {band}.height / 2 - {ring}.top - {ring}.height / 2)")
    assert apart <= 2, f"the marked row is {apart} px away from the chosen cell"

    # Roles and names for those who hear the page.
    tree = browser.ask("Accessibility.getFullAXTree")["nodes"]
    nameless = [node for node in tree if not node.get("ignored")
                and node.get("role", {}).get("value") in ("button", "link", "option", "application")
                and not node.get("name", {}).get("value")]
    assert not nameless, nameless
    roles = [node.get("role", {}).get("value") for node in tree if not node.get("ignored")]
    assert {"banner", "navigation", "main", "listbox", "option", "application", "table", "status"} <= set(roles), set(roles)
    assert roles.count("option") == len(meta["tokens"]), roles.count("option")

    numbers(browser, meta, tensors, layers)
    apart_from_each_other(browser, layers)

    # Dark and light.
    before = browser.value("getComputedStyle(document.body).backgroundColor")
    browser.value("document.getElementById('theme').click()")
    assert before != browser.value("getComputedStyle(document.body).backgroundColor")

    fetched = [event["params"]["request"]["url"] for event in browser.events
               if event.get("method") == "Network.requestWillBeSent"]
    outside = [url for url in fetched if url not in ("about:blank", f"file://{page}") and not url.startswith("data:")]
    assert not outside, f"the page asked for {outside}"
    wrong = [event for event in browser.events if event.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded")]
    assert not wrong, wrong
    print(f"ok: {len(names)} stages, {len(fetched)} request for the page itself")


def apart_from_each_other(browser, layers):
    """What stands beside something else does not lie over it, in a wide window and a narrow one."""
    over = """(selector) => {
        const boxes = [...document.querySelectorAll(selector)].map((one) => one.getBoundingClientRect());
        const covers = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
        return boxes.some((a, at) => boxes.slice(at + 1).some((b) => covers(a, b)));
    }"""
    for width, height in [(1280, 900), (390, 844)]:
        browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        for stage in range(layers + 6):
            browser.value(f"chooseStage({stage})")
            for selector in ["#strip .token", "#canvas td, #canvas th", "#canvas .head", "header, #strip, #room, footer"]:
                assert not browser.value(f"({over})({json.dumps(selector)})"), f"{selector} overlap, stage {stage}, {width} wide"
    browser.ask("Emulation.clearDeviceMetricsOverride")
    # A click on a token chooses it, whatever lies around it.
    browser.value("chooseToken(run.tokens.length - 1)")
    spot = browser.value("(({left, top, width, height}) => [left + width / 2, top + height / 2])"
                         "(document.querySelectorAll('#strip .token')[0].getBoundingClientRect())")
    for kind in ["mousePressed", "mouseReleased"]:
        browser.ask("Input.dispatchMouseEvent", type=kind, x=spot[0], y=spot[1], button="left", clickCount=1)
    assert browser.value("state.token") == 0, "a click on the first token does not choose it"


def numbers(browser, meta, tensors, layers):
    """Numbers on the page against the trace's."""
    passes, n_tokens = meta["passes"], len(meta["tokens"])
    for token in {0, n_tokens // 2, n_tokens - 1}:
        number = max(at for at, one in enumerate(passes) if one["start"] <= token)
        last = sum(passes[number]["boundaries"]) - 1
        row = min(token - passes[number]["start"], last)
        prefix = f"pass.{number}." if number else ""
        browser.value(f"chooseToken({token})")
        for layer in range(layers):
            browser.value(f"chooseStage({2 + layer})")
            pattern = tensors.get_tensor(f"{prefix}blocks.{layer}.attn.hook_pattern")
            head = layer % pattern.shape[0]
            browser.value(f"document.querySelectorAll('.head')[{head}].click()")
            shown = browser.value("[...document.querySelectorAll('tr[data-key]')].map((row) => [+row.dataset.key, +row.dataset.value])")
            assert len(shown) == passes[number]["start"] + row + 1, (layer, token, len(shown))
            for key, value in shown:
                assert value == float(pattern[head, row, key]), (layer, head, row, key, value)
        browser.value(f"chooseStage({layers + 3})")
        logits = tensors.get_tensor(f"{prefix}unembed.hook_out")[-1]
        shown = browser.value("[...document.querySelectorAll('tr[data-id]')].map((row) => [+row.dataset.id, +row.dataset.logit])")
        assert shown[0][0] == int(logits.argmax()), shown[0]
        for token_id, value in shown:
            assert abs(value - float(logits[token_id])) <= 1e-6 * abs(value), (token_id, value)
        browser.value("chooseStage(1)")
        embedding = tensors.get_tensor(f"{prefix}hook_embed")
        formula = browser.value("document.getElementById('formula').textContent")
        column = browser.value("state.key")
        expected = float(embedding[row, column])
        value = float(formula.split("= ")[1].split(" ")[0].replace("−", "-"))
        assert abs(value - expected) <= 1e-5 * max(abs(expected), 1e-9), (formula, expected)


def wait(browser, condition):
    end = time.monotonic() + SECONDS
    while not browser.value(condition):
        assert time.monotonic() < end, f"waited for {condition}"
        time.sleep(0.05)


if __name__ == "__main__":
    main()
