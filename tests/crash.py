#!/usr/bin/env python3
"""kill -9 at random instants while real flights stream through a real Kafka: no offset is left without an outcome, what
comes twice is from after the last commit and is equal to the byte."""
from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import real

if __name__ == "__main__":
    real.in_venv()

from confluent_kafka import Producer

TOPIC, GROUP = "crash", "kscore-crash"


class Feeder(threading.Thread):
    """Sends the staged events to TOPIC, each to its own partition, in random bursts, again and again until told to stop:
    offset o of a partition is event o modulo the staged ones of that partition."""

    def __init__(self, broker: real.Broker, staged: dict[int, list], rng: random.Random) -> None:
        super().__init__(daemon=True)
        self.staged, self.rng = staged, rng
        self.producer = Producer({"bootstrap.servers": broker.bootstrap, "linger.ms": 2, "enable.idempotence": True, "log_level": 2})
        self.sent = [0] * real.PARTITIONS
        self.partitions = real.PARTITIONS
        self.stop, self.go, self.is_idle = threading.Event(), threading.Event(), threading.Event()
        self.go.set()

    def pause(self, limit_s: float) -> bool:
        """Sends nothing until go.set(). True when the broker has all that was sent."""
        if self.go.is_set():
            self.is_idle.clear()
        self.go.clear()
        return self.is_idle.wait(limit_s)

    def run(self) -> None:
        while not self.stop.is_set():
            for _ in range(self.rng.randrange(1, 800)):
                p = self.rng.randrange(self.partitions)
                m = self.staged[p][self.sent[p] % len(self.staged[p])]
                self.producer.produce(TOPIC, m.value(), m.key(), p, timestamp=m.timestamp()[1])
                self.sent[p] += 1
            self.producer.flush()
            if not self.go.is_set():
                self.is_idle.set()
            self.go.wait()
            self.stop.wait(self.rng.uniform(0, 0.3))
        del self.producer  # it would complain about the broker's end


class Runner:
    """kscore, killed and started again; its whole log in one file."""

    def __init__(self, kscore: Path, config: Path, log: Path) -> None:
        self.command, self.log = [kscore, "run", "-c", config], log
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        with open(self.log, "ab") as err:
            self.process = subprocess.Popen(self.command, stderr=err)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def lines(self, event: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if f" event={event} " in line]

    def seconds_to_assigned(self) -> list[float]:
        """For each start that got so far."""
        took, start = [], None
        for line in self.log.read_text().splitlines():
            stamp = datetime.fromisoformat(line.split(" ", 1)[0].replace("Z", "+00:00"))
            if " event=starting " in line:
                start = stamp
            elif " event=assigned " in line and start:
                took.append((stamp - start).total_seconds())
                start = None
        return took


def stage(args: argparse.Namespace, broker: real.Broker) -> tuple[dict[int, list], dict[tuple[int, int], dict]]:
    """The week's events in Avro, three schema versions mixed, some broken; and what must become of each."""
    folder, truth = args.data / "flights", broker.folder / "truth"
    broker.topics("staged")
    subprocess.run(
        [sys.executable, folder / "events.py", "--from", "2013-11-01", "--to", "2013-11-07", "--seed", str(args.seed),
         "--schema", "mixed", "--format", "avro", "--hostile", "0.03", "--brokers", broker.bootstrap, "--topic", "staged",
         "--truth", str(truth)],
        check=True,
    )
    staged = defaultdict(list)
    for m in broker.read("staged"):
        staged[m.partition()].append(m)
    for messages in staged.values():
        messages.sort(key=lambda m: m.offset())
    truths = [json.loads(line) for line in truth.read_text().splitlines()]
    return staged, {(t["partition"], t["offset"]): t for t in truths}


def configure(args: argparse.Namespace, broker: real.Broker) -> Path:
    schemas = broker.folder / "schemas"
    schemas.mkdir()
    for i in (1, 2, 3):
        (schemas / f"{i}.avsc").write_bytes((args.data / "flights/schemas" / f"flight-v{i}.avsc").read_bytes())
    return real.write_config(
        broker.folder / "crash.ini", broker,
        {"kscore": {"name": GROUP, "instance": "crash-1"},
         "consumer": {"topic": TOPIC, "format": "avro"},
         "schemas": {"folder": schemas},
         "model": {"path": args.data / "flights/models/delay-2"},
         "producer": {"topic": f"{TOPIC}-scores"},
         "dead_letters": {"topic": f"{TOPIC}-dead", "breaker_share": 0.2}},
    )


def kill_often(args: argparse.Namespace, broker: real.Broker, runner: Runner, feeder: Feeder, rng: random.Random) -> list:
    """Committed offsets and the topic's ends as they were right after each kill."""
    kills = []
    for n in range(args.kills):
        runner.start()
        # A third dies young: while it starts, joins, or takes its first records.
        time.sleep(rng.uniform(0, 0.4) if n % 3 == 2 else rng.uniform(0.4, 3))  # the instant of the kill is the test's input, between two polls
        runner.kill()
        kills.append((broker.committed(GROUP, TOPIC), list(feeder.sent)))
        print(f"  kill {n + 1:2}: committed {sum(kills[-1][0]):7,} of {sum(kills[-1][1]):7,}", flush=True)
    return kills


def outcome_of(m) -> tuple[tuple[int, int], tuple]:
    """The place in TOPIC, and: outcome, stage, reason, key, timestamp, value (None: dropped)."""
    if not m.headers():
        value = json.loads(m.value())
        return (value["partition"], value["offset"]), ("scored", None, None, m.key(), m.timestamp()[1], m.value())
    h = dict(m.headers())
    place = int(h["__connect.errors.partition"]), int(h["__connect.errors.offset"])
    stage, reason = (h[f"__connect.errors.{name}"].decode() for name in ("stage", "exception.class.name"))
    return place, ("dead", stage, reason, m.key(), m.timestamp()[1], None if "kscore.dropped" in h else m.value())


def outcomes_of(broker: real.Broker) -> dict[tuple[int, int], list[tuple]]:
    """Per place in TOPIC every outcome, each as what must be equal when it comes twice."""
    found = defaultdict(list)
    for m in broker.read(f"{TOPIC}-scores") + broker.read(f"{TOPIC}-dead"):
        place, what = outcome_of(m)
        found[place].append(what)
    return found


def judge(account: real.Account, found: dict, kills: list, sent: list[int], staged: dict, truths: dict) -> None:
    lost, wrong, unequal, unexplained, twice = [], [], [], [], 0
    per_kill = [0] * len(kills)
    for p in range(real.PARTITIONS):
        for o in range(sent[p]):
            truth, seen = truths[p, o % len(staged[p])], found.pop((p, o), [])
            if truth["outcome"] == "skipped":
                wrong += [(p, o)] if seen else []
                continue
            if not seen:
                lost.append((p, o))
                continue
            want = (truth["stage"], truth["reason"]) if truth["outcome"] == "dead" else None
            if {s[0] for s in seen} != {truth["outcome"]} or want and seen[0][1:3] != want:
                wrong.append((p, o))
            if len(set(seen)) != 1:
                unequal.append((p, o))
            # Each copy needs a kill before which it was not committed.
            crossed = [k for k, (committed, ends) in enumerate(kills) if committed[p] <= o < ends[p]]
            twice += len(seen) - 1
            if len(seen) - 1 > len(crossed):
                unexplained.append((p, o))
            for k in crossed[: len(seen) - 1]:
                per_kill[k] += 1
    total = sum(sent)
    account.check(not lost, f"every one of {total:,} offsets has an outcome", f"{len(lost)} lost: {lost[:5]}")
    account.check(not found, "no outcome is of an offset that was never written", str(list(found)[:5]))
    account.check(not wrong, "each is the outcome that the truth names", f"{len(wrong)}: {wrong[:5]}")
    account.check(not unequal, "what came twice is equal: key, value with its id, timestamp", f"{len(unequal)}: {unequal[:5]}")
    account.check(not unexplained, "what came twice was not committed before a kill", f"{len(unexplained)}: {unexplained[:5]}")
    print(f"{len(kills)} kills, {total:,} records, {len(lost)} lost, {twice:,} twice ({twice / total:.2%}), "
          f"at most {max(per_kill):,} by one kill")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, default=Path(os.environ.get("KSCORE_DATA", "../shared/data")))
    p.add_argument("--kscore", type=Path, default=Path("build/release/kscore"))
    p.add_argument("--kills", type=int, default=20)
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()
    account, rng = real.Account(), random.Random(args.seed)
    with real.Broker() as broker:
        broker.topics(TOPIC, f"{TOPIC}-scores", f"{TOPIC}-dead")
        staged, truths = stage(args, broker)
        runner = Runner(args.kscore, configure(args, broker), broker.folder / "log")
        feeder = Feeder(broker, staged, random.Random(args.seed + 1))
        feeder.start()
        kills = kill_often(args, broker, runner, feeder, rng)
        feeder.stop.set()
        feeder.join()
        runner.start()
        real.until("the rest is committed", 60, lambda: broker.committed(GROUP, TOPIC) == feeder.sent or runner.process.poll())
        runner.process.terminate()
        code = runner.process.wait(60)
        account.check(code == 0, "SIGTERM ends with exit code 0", f"{code}: {runner.log.read_text()[-300:]}")
        account.check(broker.committed(GROUP, TOPIC) == feeder.sent, "everything is committed")
        judge(account, outcomes_of(broker), kills, feeder.sent, staged, truths)
        account.check(not runner.lines("invariant") and not runner.lines("failed"), "P1's sum held at every commit")
        took = sorted(runner.seconds_to_assigned())
        print(f"from start to assigned: median {took[len(took) // 2]:.2f} s, worst {took[-1]:.2f} s, {len(took)} starts got so far")
    account.end()


if __name__ == "__main__":
    main()
