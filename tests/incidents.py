#!/usr/bin/env python3
"""Incidents with real flights on a real Kafka, and what `kscore status` says of each: the true cause, since when, the first bad
offset and who is to blame, within 10 s of the first bad record, or 60 s where nothing fails; of some also that it is over.

    tests/incidents.py                    all of them
    tests/incidents.py --only renamed     one
"""
from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import struct
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import real

if __name__ == "__main__":
    real.in_venv()

import io

import fastavro
from breakable import Cluster
from confluent_kafka import Consumer, Producer
from confluent_kafka import admin as kafka

RATE = 100
FAILS_S, SILENT_S = 10, 60  # the bars
SLOW = float(os.environ.get("KSCORE_TEST_SLOW", 1))
CALM_S = 75  # what was before, for comparisons: a swap is no surprise to a program that has just begun


class Feeder(threading.Thread):
    """Events of real days, round and round, one after the other into four partitions, and what breaks them."""

    def __init__(self, bootstrap: str, topic: str, events: list[dict]) -> None:
        super().__init__(daemon=True)
        self.producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5})
        self.topic, self.events = topic, itertools.cycle(events)
        self.write = lambda n, event: json.dumps(event).encode()
        self.is_bad = lambda n: False
        self.first_bad: dict[int, int] = {}  # by partition
        self.bad_at = 0.0  # when the first of them was acknowledged
        self.is_over = threading.Event()
        self.is_paused = False
        self.ahead_ms = 0

    def reported(self, is_bad: bool):
        def report(error, message) -> None:
            if is_bad and not error:
                self.first_bad.setdefault(message.partition(), message.offset())
                self.bad_at = self.bad_at or time.monotonic()
        return report

    def run(self) -> None:
        begun = time.monotonic()
        for n in itertools.count():
            if self.is_over.is_set():
                break
            while self.is_paused and not self.is_over.wait(0.05):
                begun += 0.05
            is_bad = self.is_bad(n)
            self.producer.produce(self.topic, self.write(n, next(self.events)), partition=n % real.PARTITIONS,
                                  timestamp=int(time.time() * 1000) + self.ahead_ms, on_delivery=self.reported(is_bad))
            self.producer.poll(0)
            self.is_over.wait(max(0.0, begun + n / RATE - time.monotonic()))
        self.producer.flush(10)

    def become(self, write, is_bad=lambda n: True) -> None:
        """From the next event on."""
        self.write, self.is_bad = write, is_bad


def swapped_bundle(bundle: Path, there: Path) -> Path:
    """A bundle with two features that read each other's field; its golden rows hold."""
    shutil.copytree(bundle, there)
    text = (there / "model.ini").read_text()
    for a, b in (("temp             = weather.temp", "temp             = weather.pressure"),
                 ("pressure         = weather.pressure", "pressure         = weather.temp"),
                 ("version = 2", "version = 3")):
        assert a in text
        text = text.replace(a, b, 1)
    lines = [json.loads(line) for line in (there / "golden.jsonl").read_text().splitlines()]
    for line in lines:
        line.pop("event")  # what is left is the model's: row, margin and score
    for name, new in (("model.ini", text), ("golden.jsonl", "".join(json.dumps(line) + "\n" for line in lines))):
        (there / name).unlink()  # the copy may be as read-only as what it is of
        (there / name).write_text(new)
    return there


class Scene:
    """One incident's topics, kscore and feeder."""

    def __init__(self, args: argparse.Namespace, broker: real.Broker, name: str) -> None:
        self.args, self.broker, self.name = args, broker, name
        self.flights = args.data / "flights"
        self.folder = broker.folder / name
        self.folder.mkdir()
        self.socket, self.process = self.folder / "control", None
        self.cluster = Cluster(broker)
        broker.topics(name, f"{name}-scores", f"{name}-dead", f"{name}-journal")
        port = int(broker.bootstrap.split(":")[1]) + 1
        kind, op = kafka.ResourceType, kafka.AclOperation
        self.may_write = (kind.TOPIC, f"{name}-scores", op.WRITE)
        self.cluster.allow((kind.TOPIC, name, op.READ), (kind.GROUP, name, op.READ), (kind.GROUP, f"{name}-readers", op.DESCRIBE),
                           (kind.TOPIC, f"{name}-journal", op.READ), (kind.TOPIC, f"{name}-journal", op.WRITE), self.may_write,
                           (kind.TOPIC, f"{name}-dead", op.WRITE))
        last = self.cluster.acl(kafka.AclBindingFilter, *(kind.TOPIC, f"{name}-dead", op.WRITE))
        real.until("the broker knows the permissions", 60 * SLOW, lambda: self.cluster.admin.describe_acls(last).result(15))
        self.live = self.folder / "live"
        self.live.symlink_to(self.flights / "models/delay-2")
        self.sections = {
            "kafka": {"bootstrap.servers": f"127.0.0.1:{port}", "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN",
                      "sasl.username": "kscore", "sasl.password": "kscore"},
            "kscore": {"name": name}, "consumer": {"topic": name}, "model": {"path": self.live},
            "producer": {"topic": f"{name}-scores"}, "dead_letters": {"topic": f"{name}-dead", "breaker_share": 0.2}, "http": {"listen": ""},
            "journal": {"topic": f"{name}-journal"}, "downstream": {"groups": f"{name}-readers"}, "control": {"socket": self.socket}}
        self.feeder = Feeder(broker.bootstrap, name, args.days[0])

    def start(self) -> None:
        self.config = real.write_config(self.folder / "kscore.ini", self.broker, self.sections)
        self.log = open(self.folder / "log", "a")
        self.process = subprocess.Popen([self.args.kscore, "run", "-c", self.config], stderr=self.log)

    def calm(self, seconds: float) -> None:
        """It scores, and nothing is wrong, for so long."""
        if not self.feeder.is_alive():
            self.feeder.start()
        real.until(f"{self.name} scores", 60 * SLOW, lambda: (s := self.status()) and s["downstream"]["totals"]["scored"] > 0)
        self.feeder.is_over.wait(seconds)

    def status(self) -> dict | None:
        done = subprocess.run([self.args.kscore, "status", "-c", self.config, "--json"], capture_output=True, text=True)
        return json.loads(done.stdout) if done.stdout.startswith("{") else None

    def order(self, word: str) -> None:
        subprocess.run([self.args.kscore, word, "-c", self.config], check=True, stdout=subprocess.DEVNULL)

    def findings(self) -> list[dict]:
        status = self.status()
        return [status["verdict"], *status["verdict"].get("also", [])] if status else []

    def becomes_well(self, limit_s: float) -> bool:
        until = time.monotonic() + SLOW * limit_s
        while (found := [f["level"] for f in self.findings()]) != ["ok"] and time.monotonic() < until:
            self.feeder.is_over.wait(0.25)
        return found == ["ok"]

    def quota(self, change: str) -> None:
        """NAME=BYTES for the client that this kscore is, NAME: none any more."""
        subprocess.run([real.HERE / "kafka", "tool", self.broker.folder / "broker", "configs", "--alter", "--entity-type", "clients",
                        "--entity-name", self.name, "--add-config" if "=" in change else "--delete-config", change],
                       check=True, stdout=subprocess.DEVNULL)

    def point_at(self, bundle: Path) -> None:
        new = self.folder / "new"
        new.symlink_to(bundle)
        os.replace(new, self.live)

    def close(self) -> None:
        self.feeder.is_over.set()
        if self.process:
            self.process.kill()
            self.process.wait()


# ------------------------------------------------------------------------------------------------ the incidents
# Each breaks something, and returns what a finding must have to be the true cause.


def swapped_by_reload(s: Scene) -> dict:
    s.start()
    s.calm(CALM_S)
    s.feeder.bad_at = time.monotonic()
    s.point_at(swapped_bundle(s.live, s.folder / "swapped"))
    s.order("reload")
    return {"kind": "suspect", "words": ("temp", "pressure"), "blame": "model", "change": "model_swapped"}


def swapped_by_restart(s: Scene) -> dict:
    s.start()
    s.calm(CALM_S)
    s.process.terminate()
    s.process.wait(60)
    s.point_at(swapped_bundle(s.live, s.folder / "swapped"))
    s.start()
    real.until("it scores again", 60 * SLOW, s.status)
    s.feeder.bad_at = time.monotonic()
    return {"kind": "suspect", "words": ("temp", "pressure"), "blame": "model"}


def renamed(s: Scene) -> dict:
    """The producer calls a required field another name."""
    def write(n: int, event: dict) -> bytes:
        return json.dumps({("miles" if k == "distance" else k): v for k, v in event.items()}).encode()
    s.start()
    s.calm(5)
    s.feeder.become(write)
    return {"words": ("missing_field", "distance"), "blame": "record", "is_first": True}


def strings(s: Scene) -> dict:
    """One schema version has a string where a number was."""
    schemas = s.folder / "schemas"
    schemas.mkdir()
    old = json.loads((s.flights / "schemas/flight-v2.avsc").read_text())
    new = json.loads(json.dumps(old))
    next(f for f in new["fields"] if f["name"] == "distance")["type"] = "string"
    for i, schema in ((2, old), (7, new)):
        (schemas / f"{i}.avsc").write_text(json.dumps(schema))
    parsed = {2: fastavro.parse_schema(old), 7: fastavro.parse_schema(new)}

    def encode(schema_id: int, event: dict) -> bytes:
        out = io.BytesIO()
        out.write(b"\0" + struct.pack(">I", schema_id))
        event = {**event, "distance": str(event["distance"])} if schema_id == 7 else event
        fastavro.schemaless_writer(out, parsed[schema_id], event)
        return out.getvalue()
    s.sections["consumer"] |= {"format": "avro", "framing": "confluent"}
    s.sections["schemas"] = {"folder": schemas}
    s.feeder.write = lambda n, event: encode(2, event)
    s.start()
    s.calm(5)
    s.feeder.become(lambda n, event: encode(7 if n % 3 == 0 else 2, event), lambda n: n % 3 == 0)
    return {"words": ("distance",), "schema_id": "7", "is_first": True}


def source_dies(s: Scene) -> dict:
    """The weather ends: 31 December has none."""
    s.start()
    s.calm(CALM_S)
    s.feeder.events = itertools.cycle(s.args.days[1])
    s.feeder.become(s.feeder.write)
    return {"kind": "suspect", "words": ("missing", "temp"), "is_near": True}


def read_only(s: Scene) -> dict:
    s.start()
    s.calm(5)
    s.feeder.bad_at = time.monotonic()
    s.cluster.forbid(s.may_write)
    return {"kind": "waiting", "words": (f"{s.name}-scores",), "blame": "dependency"}


def reader_stops(s: Scene) -> dict:
    reader = Consumer({"bootstrap.servers": s.broker.bootstrap, "group.id": f"{s.name}-readers", "auto.offset.reset": "earliest",
                       "auto.commit.interval.ms": 500})
    reader.subscribe([f"{s.name}-scores"])
    s.start()
    s.calm(0)
    until = time.monotonic() + 30
    while time.monotonic() < until:
        reader.poll(0.2)
    reader.close()
    s.feeder.bad_at = time.monotonic()
    return {"kind": "group", "words": (f"{s.name}-readers",), "blame": "dependency"}


def stands_still(s: Scene) -> dict:
    """A sensor gives one value, which is a plausible one."""
    temps = sorted(e["weather"]["temp"] for e in s.args.days[0] if e.get("weather"))

    def write(n: int, event: dict) -> bytes:
        weather = event.get("weather") and {**event["weather"], "temp": temps[len(temps) // 2]}
        return json.dumps({**event, "weather": weather}).encode()
    s.start()
    s.calm(CALM_S)
    s.feeder.become(write)
    return {"kind": "suspect", "words": ("constant", "temp"), "blame": "record", "is_near": True}


def upstream_stops(s: Scene) -> dict:
    s.start()
    s.calm(CALM_S)
    s.feeder.is_paused = True
    s.feeder.bad_at = time.monotonic()
    return {"kind": "quiet", "words": ("no events come",), "blame": "record", "mend": lambda: setattr(s.feeder, "is_paused", False)}


def nulls(s: Scene) -> dict:
    """The producer sends keys without values."""
    write = s.feeder.write
    s.start()
    s.calm(CALM_S)
    s.feeder.become(lambda n, event: None)
    return {"kind": "quiet", "words": ("skipped",), "blame": "record", "mend": lambda: s.feeder.become(write)}


def clock_is_ahead(s: Scene) -> dict:
    s.start()
    s.calm(CALM_S)
    s.feeder.ahead_ms = 600_000
    s.feeder.bad_at = time.monotonic()
    return {"kind": "late", "words": ("from the future",), "blame": "record", "mend": lambda: setattr(s.feeder, "ahead_ms", 0)}


def refused(s: Scene) -> dict:
    """A bundle whose model file is cut short."""
    cut = shutil.copytree(s.flights / "models/delay-2", s.folder / "cut")
    model = (cut / "model.ubj").read_bytes()
    (cut / "model.ubj").unlink()
    (cut / "model.ubj").write_bytes(model[:-100])

    def bring(bundle: Path) -> None:
        s.point_at(bundle)
        s.order("reload")
    s.start()
    s.calm(5)
    s.feeder.bad_at = time.monotonic()
    bring(cut)
    return {"kind": "refused", "words": ("sha256",), "blame": "model", "mend": lambda: bring(s.flights / "models/delay-2")}


def input_forbidden(s: Scene) -> dict:
    may_read = (kafka.ResourceType.TOPIC, s.name, kafka.AclOperation.READ)
    s.start()
    s.calm(5)
    s.feeder.bad_at = time.monotonic()
    s.cluster.forbid(may_read)
    return {"kind": "waiting", "words": (s.name, "uthorization"), "blame": "dependency", "mend": lambda: s.cluster.allow(may_read)}


def other_unit(s: Scene) -> dict:
    """Kilometres where miles were: plausible, each of them."""
    s.start()
    s.calm(CALM_S)
    s.feeder.become(lambda n, event: json.dumps({**event, "distance": event["distance"] * 1.609344}).encode())
    return {"kind": "suspect", "words": ("distance", "shifted"), "blame": "record", "is_near": True}


def hold_up(s: Scene, quota: str) -> dict:
    s.start()
    s.calm(20)
    s.quota(f"{quota}=5000")
    s.feeder.bad_at = time.monotonic()
    return {"words": (quota,), "blame": "dependency", "mend": lambda: s.quota(quota)}


def written_too_slowly(s: Scene) -> dict:
    """A quota of what kscore may write."""
    return hold_up(s, "producer_byte_rate")


def read_too_slowly(s: Scene) -> dict:
    """A quota of what it may read."""
    return hold_up(s, "consumer_byte_rate")


INCIDENTS = {swapped_by_reload: SILENT_S, swapped_by_restart: SILENT_S, renamed: FAILS_S, strings: FAILS_S, source_dies: SILENT_S,
             read_only: FAILS_S, reader_stops: FAILS_S, stands_still: SILENT_S, upstream_stops: SILENT_S, nulls: SILENT_S,
             clock_is_ahead: SILENT_S,
             refused: FAILS_S, input_forbidden: FAILS_S, other_unit: SILENT_S, written_too_slowly: FAILS_S,
             read_too_slowly: FAILS_S}


def is_true(scene: Scene, finding: dict, want: dict) -> bool:
    """It names the cause, since when, whose fault, and where the topic's records say so the first one of a partition."""
    at = (finding.get("first") or {}).get("partition"), (finding.get("first") or {}).get("offset")
    first = scene.feeder.first_bad.get(at[0])
    return (all(w in json.dumps(finding) for w in want["words"]) and bool(finding.get("since"))
            and all(finding.get(k) == want[k] for k in ("kind", "blame", "schema_id") if k in want)
            and ("change" not in want or want["change"] in json.dumps(finding.get("change")))
            and (not want.get("is_first") or (first is not None and at[1] == first))
            and (not want.get("is_near") or (first is not None and 0 <= at[1] - first <= RATE * SILENT_S)))


def play(args: argparse.Namespace, account: real.Account, broker: real.Broker, incident, limit_s: float) -> None:
    scene = Scene(args, broker, incident.__name__.replace("_", "-"))
    try:
        want = incident(scene)
        before = scene.findings() if scene.feeder.bad_at == 0 else []
        took, found = None, []
        real.until("the first bad record", 60 * SLOW, lambda: scene.feeder.bad_at > 0)
        while took is None and time.monotonic() < scene.feeder.bad_at + SLOW * limit_s:
            found = scene.findings()
            if any(is_true(scene, f, want) for f in found):
                took = time.monotonic() - scene.feeder.bad_at
            scene.feeder.is_over.wait(0.25)
        said = next((f["text"] for f in found if is_true(scene, f, want)), "")
        account.check(not any(f["level"] == "bad" for f in before), f"{scene.name}: nothing is wrong before", str(before))
        account.check(took is not None, f"{scene.name}: the cause is named within {limit_s} s" + (f": {took:.1f} s" if took else ""),
                      f"wanted {want}, first bad {scene.feeder.first_bad}; said {[f.get('text') for f in found]}")
        if said:
            print(f"       {said}", flush=True)
        if said and "mend" in want:
            want["mend"]()
            account.check(scene.becomes_well(SILENT_S), f"{scene.name}: and that it is over")
    finally:
        scene.close()
        if args.logs:
            args.logs.mkdir(parents=True, exist_ok=True)
            shutil.copy(scene.folder / "log", args.logs / f"{scene.name}.log")


def read_days(flights: Path) -> list[list[dict]]:
    """The events of 30 and 31 December."""
    sys.path.insert(0, str(flights))
    import events

    days = [date(2013, 12, 30), date(2013, 12, 31)]
    rows = list(events.read_rows(flights / "flights.csv.gz", *days))
    made = [events.make_event(r, "v2") for r in rows]
    return [[e for e in made if e["flight_id"].endswith(d.strftime("%Y%m%d"))] for d in days]


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--kscore", type=Path, default=Path("build/release/kscore"))
    p.add_argument("--data", type=Path, default=Path(os.environ.get("KSCORE_DATA", "../shared/data")))
    p.add_argument("--only", nargs="*", help="only incidents whose names have one of these words")
    p.add_argument("--logs", type=Path, help="keep the logs in this folder")
    args = p.parse_args()
    args.kscore, args.data = args.kscore.resolve(), args.data.resolve()
    args.days = read_days(args.data / "flights")  # before there are threads: it computes for a while
    account = real.Account()
    os.environ["AUTH"] = "1"
    with ExitStack() as stack:
        broker = stack.enter_context(real.Broker())
        chosen = [i for i in INCIDENTS if not args.only or any(w in i.__name__ for w in args.only)]
        with ThreadPoolExecutor(3) as stage:  # they wait more than they work
            list(stage.map(lambda i: play(args, account, broker, i, INCIDENTS[i]), chosen))
    account.end()


if __name__ == "__main__":
    main()
