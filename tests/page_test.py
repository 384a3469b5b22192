#!/usr/bin/env python3
"""The page of a running instance in a real browser: headless Chromium, told by its DevTools protocol through a pipe.

    tests/page_test.py [CASE]            SCREENSHOTS=FOLDER keeps pictures

The page is http/page.html, as the program carries it; /status is made up, one document for each state, so that each can be looked
at. Without Chromium it is skipped, and counted."""
import base64
import copy
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import real

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "..", "http", "page.html")
NOW = 1767225900000
SLOW = float(os.environ.get("KSCORE_TEST_SLOW", "1"))
HOSTILE = "<img src=x onerror=window.broken=1><script>window.broken=1</script>"


def stamp(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms / 1000)) + ".%03dZ" % (ms % 1000)


def place(offset, ago_s, **more):
    return {"topic": "payments", "partition": 2, "offset": offset, "time": stamp(NOW - ago_s * 1000), **more}


def change(number, ago_s, event, text, first=None, before=0, after=0):
    return {"number": number, "time": stamp(NOW - ago_s * 1000), "kind": "change", "event": event, "text": text,
            "effect": {"first_dead": first, "dead_share_before": before, "dead_share_after": after}}


def rates(scored, dead, fresh):
    return {"seconds": 60, "scored_per_s": scored, "dead_per_s": dead, "dead_share": dead / (scored + dead), "freshness_s": fresh}


def healthy():
    times = [NOW - (400 - i) * 5000 for i in range(400)]
    text = "healthy: 122,411 events scored in the last minute, 0 dead letters, 312 events behind"
    return {
        "verdict": {"level": "ok", "kind": "healthy", "text": text, "what": text, "since": None, "first": None, "blame": "",
                    "schema_id": None, "change": None, "also": []},
        "kscore": {"name": "fraud", "instance": "", "build": "0.1.0+41d0a3b", "config": "kscore.ini", "started": stamp(NOW - 86400000),
                   "now": stamp(NOW), "workers": 2, "ready": True, "activity": "running", "why": "",
                   "models": [{"name": "fraud", "version": "7", "digest": "9c1f02ab77de" + "0" * 52, "since": stamp(NOW - 86400000)}]},
        "changes": [change(1, 1700, "starting", "name=fraud config=kscore.ini run=41d0a3b2c94e build=0.1.0+41d0a3b"),
                    change(2, 1699, "model_loaded", "name=fraud version=7 digest=9c1f02ab77de goldens=32 XGBoost 3.2.0"),
                    {"number": 3, "time": stamp(NOW - 1690000), "kind": "trouble", "event": "assigned", "text": "group=fraud partitions=4"}],
        "downstream": {"lag": 312, "now": rates(2040, 0, 0.21), "before": rates(2033, 0, 0.2),
                       "totals": {"consumed": 172800412, "scored": 172800112, "dead": 0, "skipped": 0, "returned": 0, "in_flight": 300},
                       "alerts": 1204, "alerts_stale": 0, "groups": [{"group": "alerting", "lag": 120, "moved": stamp(NOW), "stands_since": None}],
                       "scores": {"quantiles": [0.01, 0.1, 0.5, 0.9, 0.99], "now": [0.001, 0.004, 0.021, 0.18, 0.86], "before": [0.001, 0.004, 0.02, 0.17, 0.85]},
                       "decisions": [{"decision": "pass", "count": 168000000}, {"decision": "review", "count": 4000000}, {"decision": "block", "count": 796012}]},
        "errors": [],
        "partitions": [{"topic": "payments", "partition": i, "owned": True, "parked": False, "consumed": 43200103, "scored": 43199003, "dead": 0,
                        "skipped": 0, "returned": 0, "in_flight": 75, "done": 43200028, "lag": 78} for i in range(4)],
        "history": {"time_ms": times, "scored_per_s": [2040 + 60 * ((i * 37) % 11 - 5) / 5 for i in range(400)],
                    "dead_per_s": [0] * 400, "lag": [300 + (i * 53) % 90 for i in range(400)],
                    "freshness_s": [0.2 + ((i * 17) % 7) / 100 for i in range(400)]}}


def incident():
    s = healthy()
    error = "field amount | amount_eur (feature amount), byte 65: a value of a type that the feature does not take"
    s["changes"] += [change(40, 96, "schema_loaded", "id=8 payments-value version 3: amount was double, is string",
                            place(812004, 95, stage="bind", reason="wrong_type", schema_id="8"), 0, 0.34)]
    s["verdict"].update(
        level="bad", kind="errors", since=stamp(NOW - 95000), first=place(812004, 95), blame="record", schema_id="8", change=s["changes"][-1],
        text="bind/wrong_type: 41,220 dead letters in the last minute, 34 % of what came: " + error + "; schema 8; since " + stamp(NOW - 95000)
        + "; from payments[2]@812004 on; blame: record (the events and who sends them); 1.0 s before: schema_loaded id=8 payments-value version 3",
        also=[{"level": "warning", "text": "downstream group alerting has stopped: it commits nothing, 41,220 scores wait; since "
               + stamp(NOW - 40000) + "; blame: dependency (what kscore depends on or feeds)"}])
    s["downstream"]["totals"].update(scored=172730082, dead=70030)
    s["downstream"]["now"] = rates(1346, 694, 0.24)
    s["downstream"]["groups"][0].update(lag=41220, stands_since=stamp(NOW - 40000))
    s["errors"] = [
        {"stage": "bind", "reason": "wrong_type", "blame": "record", "schema_id": "8", "help": "", "count": 65930, "last_minute": 41220,
         "first": place(812004, 95), "since": place(812004, 95), "last": place(941010, 0), "message": error, "explain": "kscore explain -c kscore.ini payments 2 812004"},
        {"stage": "decode", "reason": "bad_json", "blame": "record", "schema_id": None, "help": "", "count": 4100, "last_minute": 3,
         "first": place(71, 86000), "since": place(71, 86000), "last": place(941002, 1), "message": HOSTILE, "explain": "kscore explain -c kscore.ini payments 2 71"}]
    s["changes"].append({"number": 41, "time": stamp(NOW - 90000), "kind": "error", "event": "first_dead_letter", "text": HOSTILE})
    for i in range(381, 400):
        s["history"]["dead_per_s"][i] = 694
        s["history"]["scored_per_s"][i] = 1346
    return s


class Server:
    """The page and the status that `answer` gives; None: no answer at all."""

    def __init__(self):
        outer = self
        self.status, self.requests = healthy(), []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests.append(self.path)
                body = open(PAGE, "rb").read() if self.path == "/" else json.dumps(outer.status).encode()
                if outer.status is None and self.path != "/":
                    self.send_error(503)
                    return
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8" if self.path == "/" else "application/json")
                # As http/server.c sends it: what the page needs must be allowed.
                self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
                                 "connect-src 'self'; img-src data:")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d/" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Browser:
    def __init__(self, program):
        self.folder = tempfile.mkdtemp(prefix="kscore-page-")
        read_from, self.to = os.pipe()
        self.source, write_to = os.pipe()

        def pipes():  # the browser reads at 3 and writes at 4
            a, b = os.dup(read_from), os.dup(write_to)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
             "--remote-debugging-pipe", "--user-data-dir=" + self.folder, "about:blank"],
            preexec_fn=pipes, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(read_from)
        os.close(write_to)
        self.number, self.rest, self.session, self.problems = 0, b"", None, []
        target = [t for t in self.ask("Target.getTargets")["targetInfos"] if t["type"] == "page"][0]
        self.session = self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in "Page", "Runtime", "Log":
            self.ask(domain + ".enable")

    def ask(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self.rest:
                more = os.read(self.source, 1 << 16)
                if not more:
                    raise SystemExit("page_test: the browser has ended")
                self.rest += more
            line, self.rest = self.rest.split(b"\0", 1)
            answer = json.loads(line)
            if answer.get("method") == "Runtime.exceptionThrown":
                self.problems.append(json.dumps(answer["params"]["exceptionDetails"]))
            if answer.get("method") == "Log.entryAdded" and "503" not in answer["params"]["entry"]["text"]:
                self.problems.append(answer["params"]["entry"]["text"])
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise SystemExit("page_test: %s: %s" % (method, answer["error"]))
                return answer["result"]

    def run(self, script):
        result = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True, userGesture=True)
        assert "exceptionDetails" not in result, (script, result)
        return result["result"].get("value")

    def until(self, script):
        deadline = time.monotonic() + 15 * SLOW
        while not self.run(script):
            assert time.monotonic() < deadline, "never: " + script + "\n" + self.run("document.body.innerText")
            time.sleep(0.05)  # between two polls

    def open(self, url, width=1280, height=900, theme="light"):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        self.ask("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && document.getElementById('level').textContent !== ''")

    def key(self, name, code):
        for kind in "keyDown", "keyUp":
            self.ask("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code)

    def picture(self, name):
        folder = os.environ.get("SCREENSHOTS")
        if folder:
            height = min(self.run("document.documentElement.scrollHeight"), 4000)
            width = self.run("innerWidth")
            data = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True,
                            clip={"x": 0, "y": 0, "width": width, "height": height, "scale": 1})["data"]
            os.makedirs(folder, exist_ok=True)
            open(os.path.join(folder, name + ".png"), "wb").write(base64.b64decode(data))

    def end(self):
        try:
            self.ask("Browser.close")
            self.process.wait(20)
        except (OSError, SystemExit, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


TEXT = "document.getElementById('%s').innerText"


def says(browser, where, *words):
    text = browser.run(TEXT % where)
    for word in words:
        assert word in text, "%r is not in #%s: %r" % (word, where, text)


# What is meant to be read stands out from what is behind it: WCAG's contrast of 4.5.
CONTRAST = """(() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number), low = [];
  const light = c => { const [r, g, b] = parse(c).map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  for (const node of document.querySelectorAll('body *')) {
    if (![...node.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !node.checkVisibility() || node.closest('script, style')) continue;
    let back = node; while (back && parse(getComputedStyle(back).backgroundColor)[3] === 0) back = back.parentElement;
    const style = getComputedStyle(node), a = light(node.closest('svg') ? style.fill : style.color), b = light(getComputedStyle(back || document.body).backgroundColor);
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) low.push(node.tagName + '.' + (node.className.baseVal ?? node.className) + ' "' + node.textContent.slice(0, 30) + '" ' + ratio.toFixed(2));
  }
  return low; })()"""
NO_OVERFLOW = "document.documentElement.scrollWidth <= innerWidth"


def a_healthy_instance_is_green_and_says_so(b, server):
    b.open(server.url)
    says(b, "verdict", "OK", "healthy: 122,411 events")
    says(b, "totals", "312", "172,800,112")
    says(b, "no-errors", "No dead letters")
    says(b, "groups", "alerting", "120")
    says(b, "scores", "50 %", "0.021")
    says(b, "one", "model_loaded", "starting", "Dead letters, per s")
    assert b.run("document.querySelectorAll('svg path').length") == 4, "curves"
    assert b.run("document.title") == "fraud – kscore"
    b.picture("healthy-light")


def an_incident_names_cause_first_offset_and_the_command(b, server):
    server.status = incident()
    b.open(server.url, theme="dark")
    says(b, "verdict", "WRONG", "bind/wrong_type", "payments[2]@812004", "schema_loaded", "also: downstream group alerting", "for 2 min; blame: record")
    says(b, "changes", "#40", "0 %", "34 %", "payments[2]@812004 bind/wrong_type")
    says(b, "errors", "bind / wrong_type", "41,220", "65,930", "payments[2]@941010", "kscore explain -c kscore.ini payments 2 812004")
    says(b, "groups", "41,220")
    assert b.run("[...document.querySelectorAll('svg text.mark')].some(t => t.textContent === '#40')"), "the change is no mark"
    assert b.run("document.title").startswith("(!)")
    assert b.run("document.querySelector('[aria-live=polite]').innerText.includes('wrong_type')")
    b.picture("incident-dark")


def text_of_others_is_never_obeyed(b, server):
    server.status = incident()
    b.open(server.url)
    b.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    says(b, "errors", "<img src=x")
    says(b, "troubles", "<script>")
    assert b.run("window.broken === undefined && document.querySelectorAll('main img, main script').length === 0")


def a_lost_connection_is_said_with_the_age_and_heals(b, server):
    b.open(server.url)
    server.status = None
    b.until("!document.getElementById('lost').hidden")
    says(b, "lost", "Connection lost", "it answers 503", "old, of 00:05:00 UTC")
    says(b, "verdict", "NOT KNOWN NOW, was OK", "healthy")
    assert b.run("document.body.classList.contains('stale')")
    b.picture("lost-light")
    server.status = incident()
    b.until("document.getElementById('lost').hidden")
    b.until("document.getElementById('level').textContent === 'WRONG'")
    b.until("document.getElementById('age').textContent === 'live'")


def on_a_phone_it_is_one_column_without_scrolling_sideways(b, server):
    server.status = incident()
    for theme in "light", "dark":
        b.open(server.url, 390, 844, theme)
        says(b, "verdict", "WRONG")
        assert b.run(NO_OVERFLOW), "it is wider than the phone"
        assert b.run("getComputedStyle(document.querySelector('.columns')).gridTemplateColumns.split(' ').length") == 1
        b.picture("phone-" + theme)


def colours_have_contrast_in_both_themes(b, server):
    for name, status in ("healthy", healthy()), ("incident", incident()):
        server.status = status
        for theme in "light", "dark":
            b.open(server.url, theme=theme)
            low = b.run(CONTRAST)
            assert not low, "%s, %s: %s" % (name, theme, low)


def the_theme_is_the_systems_until_it_is_chosen(b, server):
    b.open(server.url, theme="dark")
    assert b.run("document.documentElement.dataset.theme") == "dark"
    b.run("document.getElementById('theme').click()")
    assert b.run("document.documentElement.dataset.theme") == "light"
    b.open(server.url, theme="dark")
    assert b.run("document.documentElement.dataset.theme") == "light", "the choice is not kept"
    b.run("localStorage.clear()")


def the_keyboard_reaches_everything_in_order_and_shows_where_it_is(b, server):
    server.status = incident()
    b.open(server.url)
    seen = []
    for _ in range(40):
        b.key("Tab", 9)
        seen.append(b.run("(e => e.id || e.getAttribute('aria-label') || e.textContent.trim())(document.activeElement)"))
        assert b.run("document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== 'none'"), seen[-1]
    order = ["Did my change cause it?", "Is it hurting what is downstream?", "Which part throws the errors?", "theme", "Changes", "Rates", "errors-part",
             "copy the explain line of bind wrong_type", "copy the explain line of decode bad_json"]
    assert [name for name in seen if name in order][:len(order)] == order, seen
    b.run("document.querySelector('#errors button').focus()")
    requests = len(server.requests)
    deadline = time.monotonic() + 15 * SLOW
    while len(server.requests) < requests + 2:
        assert time.monotonic() < deadline, "it is asked no more"
        time.sleep(0.05)  # between two polls
    assert b.run("document.activeElement.getAttribute('aria-label')") == order[7], "an answer takes the focus away"


def the_explain_line_is_copied(b, server):
    server.status = incident()
    b.open(server.url)
    b.run("document.execCommand = name => { window.copied = name === 'copy' && getSelection().toString(); return true; };"
          "Object.defineProperty(navigator, 'clipboard', {value: undefined, configurable: true})")
    b.run("document.querySelector('#errors button').click()")
    b.until("window.copied")
    assert b.run("window.copied") == "kscore explain -c kscore.ini payments 2 812004"
    b.until("document.querySelector('#errors button').textContent === 'copied'")


def nothing_is_asked_for_but_the_page_and_its_status(b, server):
    b.open(server.url)
    assert set(server.requests) == {"/", "/status"}, server.requests


def a_document_with_nothing_in_it_is_shown_as_such(b, server):
    full = healthy()
    for name in list(full) + [None]:
        server.status = copy.deepcopy(full)
        if name:
            del server.status[name]
        else:
            server.status = {"kscore": {"activity": "starting", "ready": False}, "verdict": {"level": "warning", "text": "not ready"}}
        b.ask("Page.navigate", url=server.url)
        b.until("document.readyState === 'complete' && document.getElementById('age').textContent === 'live'")


CASES = [a_healthy_instance_is_green_and_says_so, an_incident_names_cause_first_offset_and_the_command, text_of_others_is_never_obeyed,
         a_lost_connection_is_said_with_the_age_and_heals, on_a_phone_it_is_one_column_without_scrolling_sideways,
         colours_have_contrast_in_both_themes, the_theme_is_the_systems_until_it_is_chosen,
         the_keyboard_reaches_everything_in_order_and_shows_where_it_is, the_explain_line_is_copied,
         nothing_is_asked_for_but_the_page_and_its_status, a_document_with_nothing_in_it_is_shown_as_such]


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    cases = [case for case in CASES if wanted in ("", case.__name__)]
    account = real.Account()
    if not cases:
        sys.exit("page_test: no case " + wanted)
    if not program:
        real.skip("the page in a browser: there is no Chromium (make deps-page)")
        return account.end_as_check()
    browser = Browser(program)
    try:
        for case in cases:
            server, browser.problems, what = Server(), [], ""
            try:
                case(browser, server)
            except AssertionError as error:
                what = str(error)
            account.check(not what and not browser.problems, case.__name__.replace("_", " "), what or str(browser.problems))
            server.server.shutdown()
    finally:
        browser.end()
    account.end_as_check()


main()
