#!/usr/bin/env python3
"""docs/incident.md is true: its night is played with real flights on a real Kafka, each of its commands is run, and what it
prints and how it ends is held against what stands there.

    tests/walk.py               its commands
    tests/walk.py --accept      and writes into it what they print now, for each line that is there
    tests/walk.py --shell       instead a shell where the engineer stands

In the document a line `...` is any lines. Times, digests, addresses, durations and shares are not compared, nor is what goes
to standard error. A command that does not end with 0 is followed by `exit CODE`. One that only looks is asked again, until it says so or for 30 s.
"""
from __future__ import annotations

import argparse
import io
import itertools
import json
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path

import real

if __name__ == "__main__":
    real.in_venv()

import fastavro
from confluent_kafka import Consumer, Producer
from incidents import swapped_bundle

PAGE = Path(__file__).resolve().parents[1] / "docs/incident.md"
SLOW = float(os.environ.get("KSCORE_TEST_SLOW", 1))
CALM, DEPLOYED, BROKEN, HEALED = 1000, 1000, 2000, 1800  # events before the deploy, until the producer's, behind it, behind the fix
APART_S = 32  # what fails within 30 s of another model is the model's
QUIET_S = 62  # dead letters are news for a minute
CONFIG = """[kscore]
name = delay
[kafka]
bootstrap.servers = {bootstrap}
[consumer]
topic = flights
format = avro
framing = confluent
[schemas]
folder = schemas
[model]
path = models/current
[producer]
topic = scores
[dead_letters]
topic = flights-dead
[downstream]
groups = board
[http]
listen = {listen}
[control]
socket = control
"""


class Night:
    """The folder in which the engineer stands, and what went on before the page."""

    def __init__(self, args: argparse.Namespace, broker: real.Broker) -> None:
        self.kscore, self.broker, self.folder = args.kscore, broker, broker.folder / "night"
        self.flights, self.is_over, self.sent = args.data / "flights", threading.Event(), 0
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.listen = f"127.0.0.1:{free.getsockname()[1]}"
        self.prepare()
        self.producer = Producer({"bootstrap.servers": broker.bootstrap, "linger.ms": 5, "log_level": 0})

    def prepare(self) -> None:
        """The bundles and schemas: those before, and those that come with this night."""
        for name in "bin", "schemas", "models":
            (self.folder / name).mkdir(parents=True)
        (self.folder / "bin/kscore").symlink_to(self.kscore)
        (self.folder / "kscore.ini").write_text(CONFIG.format(bootstrap=self.broker.bootstrap, listen=self.listen))
        shutil.copytree(self.flights / "models/delay-2", self.folder / "models/delay-2", copy_function=shutil.copyfile)
        (self.folder / "models/delay-2").chmod(0o755)
        self.point_at("delay-2")
        old = json.loads((self.flights / "schemas/flight-v3.avsc").read_text())
        new = json.loads(json.dumps(old))
        at = next(i for i, f in enumerate(new["fields"]) if f["name"] == "distance_miles")
        new["fields"][at:at + 1] = [{"name": "distance_miles", "type": ["double", "string"]}, {"name": "miles", "type": "double"}]
        self.written = {3: json.dumps(old), 4: json.dumps(new)}
        self.schemas = {3: fastavro.parse_schema(old), 4: fastavro.parse_schema(new)}
        self.register(3)

    def register(self, number: int) -> None:
        (self.folder / f"schemas/{number}.avsc").write_text(self.written[number])

    def point_at(self, bundle: str) -> None:
        subprocess.run(["ln", "-sfn", bundle, self.folder / "models/current"], check=True)

    def run(self, command: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of what stands in the document."""
        env = {**os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(["bash", "-c", command.replace("localhost:9464", self.listen)], cwd=self.folder, env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60 * SLOW)
        return done.returncode, done.stdout, done.stderr

    def status(self) -> dict:
        return json.loads(self.run("kscore status -c kscore.ini --json")[1] or "{}")

    def publish(self, events: list[dict], seconds: float, newer: str = "") -> None:
        """One after the other into the partitions; those of the newer carrier in schema 4, where the number has another place."""
        begun = time.monotonic()
        for n, event in enumerate(events):
            number, value = 3, event
            if event["carrier"] == newer:
                miles = event["distance_miles"]
                number, value = 4, {**event, "distance_miles": f"{miles:.0f} mi", "miles": miles}
            out = io.BytesIO()
            out.write(b"\0" + struct.pack(">I", number))
            fastavro.schemaless_writer(out, self.schemas[number], value)
            self.producer.produce("flights", out.getvalue(), key=event["flight_id"], partition=self.sent % real.PARTITIONS)
            self.sent += 1
            self.producer.poll(0)
            self.is_over.wait(max(0.0, begun + n * seconds / len(events) - time.monotonic()))
        self.producer.flush(10)

    def publish_and_wait(self, events: list[dict], newer: str = "") -> None:
        """Until all have their outcome: what comes behind them comes later, of all partitions."""
        self.publish(events, 0, newer)
        real.until(f"{self.sent} events have their outcome", 60 * SLOW, lambda: self.is_done(self.sent))

    def is_done(self, events: int) -> bool:
        status = self.status()
        totals = status and status["downstream"]["totals"]
        return bool(status) and totals["scored"] + totals["dead"] == events and status["downstream"]["lag"] == 0

    def read_scores(self) -> None:
        """A group that reads the scores and keeps up."""
        board = Consumer({"bootstrap.servers": self.broker.bootstrap, "group.id": "board", "auto.offset.reset": "earliest", "log_level": 0,
                          "auto.commit.interval.ms": 500})
        board.subscribe(["scores"])
        while not self.is_over.is_set():
            board.poll(0.2)
        board.close()

    def play(self) -> None:
        """Until the page goes off: a deploy, and behind it another one, of one carrier's producer."""
        sys.path.insert(0, str(self.flights))
        import events
        rows = events.read_rows(self.flights / "flights.csv.gz", date(2013, 11, 1), date(2013, 11, 7))
        flights = [events.make_event(row, "v3") for row in rows]
        random.Random(8).shuffle(flights)  # a week's weather within two minutes would be an incident of its own
        ends = [0, *itertools.accumulate((CALM, DEPLOYED, BROKEN, HEALED))]
        calm, deployed, broken, self.healed = (flights[a:b] for a, b in itertools.pairwise(ends))
        self.broker.topics("flights", "scores", "flights-dead")
        self.log = open(self.folder / "log", "w")
        self.process = subprocess.Popen(["bin/kscore", "run", "-c", "kscore.ini"], cwd=self.folder, stderr=self.log)
        self.board = threading.Thread(target=self.read_scores, daemon=True)
        self.board.start()
        self.publish_and_wait(calm)
        swapped_bundle(self.folder / "models/delay-2", self.folder / "models/delay-3")
        self.point_at("delay-3")
        self.run("kscore reload -c kscore.ini")
        real.until("delay-3 scores", 30 * SLOW, lambda: self.swapped_at())
        self.publish_and_wait(deployed[:1])  # delay-3's first offset is this one's
        self.publish(deployed[1:], APART_S)
        self.register(4)
        first = next(n for n, event in enumerate(broken) if event["carrier"] == "DL") + 1
        self.publish_and_wait(broken[:first], newer="DL")
        self.publish_and_wait(broken[first:], newer="DL")
        self.broken_at = time.monotonic()

    def swapped_at(self) -> str | None:
        return next((c["time"] for c in self.status()["changes"] if c["event"] == "model_swapped"), None)

    def go_on(self) -> None:
        """The stream behind the fix."""
        self.publish(self.healed, max(1, self.broken_at + QUIET_S - time.monotonic()), newer="DL")

    def close(self, trouble: bool) -> None:
        """With the log of a night that was not as it should be."""
        self.is_over.set()
        if hasattr(self, "process"):
            self.process.terminate()
            self.process.wait(60)
            self.board.join(20)
            self.log.close()
            if trouble:
                print((self.folder / "log").read_text()[-8000:], flush=True)


# ----------------------------------------------------------------------------------------------- the document

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
VARIES = [
    (TIME, "TIME"), (r"\d\d-\d\d \d\d:\d\d:\d\d\b", "TIME"), (r"\b(?=\w*\d)[0-9a-f]{12,64}\b", "HEX"),
    (r"(127\.0\.0\.1|localhost):\d+", "PLACE"), (r"\b\d+(\.\d+)? ?(ms|s|min|h)\b( \d+ ?s\b)?", "DURATION"),
    (r"\b\d+(\.\d+)? %|(?<= )-(?= |$)", "SHARE"), (r"took_ms=\d+", "DURATION"), (r"healthy: \d+", "healthy: N"),
    (r"\b\d+ offsets/s", "RATE"), (r"build \S+", "BUILD"), (r"[ \t]+", " "),
]


def normal(line: str) -> str:
    for pattern, word in VARIES:
        line = re.sub(pattern, word, line)
    return line.strip()


class Step:
    """One command of the document, where it stands, and what it says."""

    def __init__(self, at: int, command: str) -> None:
        self.at, self.command, self.want, self.code, self.goes_on = at, command, [], 0, False

    def only_looks(self) -> bool:
        return self.command.startswith(("curl", "kscore status"))

    def matched(self, printed: str) -> tuple[dict[int, str], str | None]:
        """What was printed for each line, by its number, and the first line that nothing was printed for."""
        lines, found, here, may_skip = printed.splitlines(), {}, 0, False
        for number, want in self.want:
            if want.strip() == "...":
                may_skip = True
                continue
            reach = len(lines) if may_skip else here + 1
            there = next((i for i in range(here, min(reach, len(lines))) if normal(lines[i]) == normal(want)), None)
            if there is None:
                return found, want
            found[number], here, may_skip = lines[there], there + 1, False
        left = [] if may_skip else lines[here:]
        return found, f"(the end, not {left[0]!r})" if left else None

    def run(self, night: Night) -> tuple[dict[int, str], str | None]:
        if self.goes_on:
            night.go_on()
        self.command = re.sub(TIME, night.swapped_at() or "", self.command)
        deadline = time.monotonic() + (30 * SLOW if self.only_looks() else 0)
        while True:
            code, printed, said = night.run(self.command)
            found, missing = self.matched(printed)
            trouble = f"exit {code}, not {self.code}" if code != self.code else missing and f"not said: {missing}"
            if not trouble or time.monotonic() >= deadline:
                return found, trouble and f"{trouble}\n{printed}{said}"
            night.is_over.wait(0.5)  # between two polls


def steps_of(lines: list[str]) -> list[Step]:
    """A command is an indented line behind `$ `; what it prints is indented, too, until the next one or text."""
    steps: list[Step] = []
    is_open = goes_on = False
    for number, line in enumerate(lines):
        if line.startswith("    $ "):
            steps.append(Step(number, line[6:].strip()))
            steps[-1].goes_on, is_open, goes_on = goes_on, True, False
        elif line == "<!-- the stream goes on -->":
            goes_on = True
        elif line and not line.startswith("    "):
            is_open = False
        elif is_open and (code := re.fullmatch(r"    exit (\d+)", line)):
            steps[-1].code, is_open = int(code[1]), False
        elif is_open:
            steps[-1].want.append((number, line[4:]))
    for step in steps:
        while step.want and not step.want[-1][1].strip():
            step.want.pop()
    return steps


def walk(args: argparse.Namespace, account: real.Account) -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    with real.Broker() as broker:
        night = Night(args, broker)
        try:
            night.play()
            if args.shell:
                subprocess.run(["bash"], cwd=night.folder, env={**os.environ, "PATH": f"{night.folder / 'bin'}:{os.environ['PATH']}"})
                return
            steps = steps_of(lines)
            for step in steps:
                found, trouble = step.run(night)
                account.check(not trouble, f"docs/incident.md:{step.at + 1}: {step.command}", trouble or "")
                lines[step.at] = f"    $ {step.command}"
                for number, line in found.items():
                    lines[number] = f"    {line}".rstrip()
            account.check(len(steps) > 10, f"docs/incident.md has {len(steps)} commands")
        finally:
            night.close(account.failed > 0 or account.passed == 0)
    if args.accept:
        PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--kscore", type=Path, default=Path("build/release/kscore"))
    p.add_argument("--data", type=Path, default=Path(os.environ.get("KSCORE_DATA", "../shared/data")))
    p.add_argument("--accept", action="store_true")
    p.add_argument("--shell", action="store_true")
    args = p.parse_args()
    args.kscore, args.data = args.kscore.resolve(), args.data.resolve()
    if not (args.data / "flights").is_dir():
        p.error(f"no flights in {args.data}: set KSCORE_DATA")
    account = real.Account()
    walk(args, account)
    account.end()


if __name__ == "__main__":
    main()
