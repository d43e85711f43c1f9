"""Types into the search page as a person does, with the keyboard alone. usage: completion_check.py BROWSER URL

BROWSER is Chromium or Chrome, driven over its DevTools protocol. Prints one JSON object: what was offered and what happened.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

KEYS = {"ArrowDown": 40, "ArrowUp": 38, "Enter": 13, "Escape": 27}


class Page:
    def __init__(self, socket):
        self.socket, self.number, self.complaints = socket, 0, []

    async def call(self, method, **parameters):
        self.number += 1
        await self.socket.send_json({"id": self.number, "method": method, "params": parameters})
        while True:
            message = await self.socket.receive_json(timeout=30)
            if message.get("method") == "Log.entryAdded" and message["params"]["entry"]["source"] in ["security", "javascript"]:
                self.complaints.append(message["params"]["entry"]["text"])
            if message.get("id") == self.number:
                return message["result"]

    async def value(self, expression):
        return (await self.call("Runtime.evaluate", expression=expression, returnByValue=True))["result"].get("value")

    async def until(self, expression):
        end = time.monotonic() + 20
        while not (value := await self.value(expression)):
            assert time.monotonic() < end, f"{expression} stays {value!r}; {self.complaints}"
        return value

    async def open(self, url):
        await self.value("window.left = true")
        await self.call("Page.navigate", url=url)
        await self.until("!window.left && document.readyState === 'complete'")

    async def press(self, key):
        more = {"text": "\r"} if key == "Enter" else {}
        for kind in ["keyDown", "keyUp"]:
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=KEYS[key], **more)

    async def type(self, selector, text):
        field = f"document.querySelector('{selector}')"
        await self.value(f"{field}.focus(); {field}.setSelectionRange({field}.value.length, {field}.value.length)")
        await self.call("Input.insertText", text=text)
        await self.until(f"document.querySelector('{selector}').getAttribute('aria-expanded') === 'true'")
        return await self.value("[...document.querySelectorAll('[role=option]')].map((option) => option.textContent)")


async def visit(page, url):
    seen = {}
    await page.call("Log.enable")
    await page.call("Page.enable")
    await page.open(f"{url}/search")
    seen["offered"] = await page.type("#q", "mous")
    await page.press("ArrowDown")
    active = "document.getElementById(document.querySelector('#q').getAttribute('aria-activedescendant'))"
    seen["active"] = await page.value(f"{active}.getAttribute('aria-selected')")
    await page.press("Enter")
    seen["taken"] = await page.value("document.querySelector('#q').value")
    seen["stays"] = await page.value("location.search")
    seen["closed"] = await page.value("document.querySelector('#q').getAttribute('aria-expanded')")
    await page.press("Enter")
    seen["asked"] = await page.until("location.search")
    await page.until("document.readyState === 'complete' && document.querySelector('#q[role]') !== null")
    await page.type("#q", " retina zebraf")
    await page.press("ArrowDown")
    await page.press("Enter")
    seen["last word"] = await page.value("document.querySelector('#q').value")
    await page.open(f"{url}/search")
    await page.type("#q", "mous")
    await page.press("Escape")
    seen["escaped"] = await page.value("document.querySelector('#q').getAttribute('aria-expanded')")
    await page.value("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    seen["methods"] = await page.type("#method", "two-phot")
    seen["complaints"] = page.complaints
    await page.call("Emulation.setScriptExecutionDisabled", value=True)
    await page.open(f"{url}/search")
    seen["plain"] = await page.value("document.querySelector('form #q').hasAttribute('role')")
    return seen


async def main(browser, url):
    # Processes that end with the browser may still write to it while it is removed, which is nothing that is looked at here.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-port=0"]
        process = subprocess.Popen([browser, *options, f"--user-data-dir={profile}", "about:blank"],
                                   stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            # The browser says where it listens, and then that it is ready.
            line = next(line for line in process.stderr if line.startswith("DevTools listening on "))
            port = line.split(":")[2].split("/")[0]
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    target = next(one for one in await answer.json() if one["type"] == "page")
                async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    print(json.dumps(await visit(Page(socket), url)))
        finally:
            # With all that it started.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
