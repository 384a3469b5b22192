#!/usr/bin/env python3
"""The verifier: outside of kscore, it feeds numbered events at a rate and reads scores and dead letters all the while, as a
read_committed reader. What must become of the event at an offset follows from partition and offset alone, so it counts

    lost        fed - outcomes - offsets that kscore told as gap
    duplicated  outcomes beyond the first: any (exactly_once); those of no disturbance (at_least_once): an event may come
                again only when it lay between the committed offset before one and the topic's end when that was over
    mismatched  an outcome whose id, score, key, timestamp, bytes or reason is another than its event's, or of no event (above
                2,000 events a second only some are compared: above 20,000 each 11th; all are counted)
    recovery    seconds from the moment that all is mended until each partition has an outcome of an event fed after that

    tests/verifier.py --bootstrap HOST:PORT --name NAME [--rate 500] [--seconds 10] [--log FILE...]

runs it alone against a kscore on examples/payments/bundle with `carry = n`: topics NAME, NAME-scores, NAME-dead, group NAME.
"""
from __future__ import annotations

import argparse
import json
import re
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import real

if __name__ == "__main__":
    real.in_venv()

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition

BUNDLE = real.HERE.parent / "examples/payments/bundle"
GOLDEN = [json.loads(line) for line in (BUNDLE / "golden.jsonl").read_text().splitlines()]
BORN_MS, DEAD_EVERY, MAX_PARTITIONS = 1767225600000, 20, 64
CLIENT = {"log_level": 0, "reconnect.backoff.max.ms": 500, "topic.metadata.refresh.interval.ms": 2000}


def until(seconds: float, done) -> bool:
    """As real.until, but it is no error when it is not: returns whether it was."""
    deadline = time.monotonic() + seconds
    while not (is_done := done()) and time.monotonic() < deadline:
        time.sleep(0.02)  # between two polls
    return is_done


def opening(event: dict) -> bytes:
    return json.dumps(event)[:-1].encode() + b', "n": '


OPENINGS = [[opening({**g["event"], **wrong}) for g in GOLDEN] for wrong in ({}, {"amount": "much"})]
SCORES = [struct.pack("<f", g["score"]) for g in GOLDEN]


class Event:
    """The one at an offset of a partition; of every 20 one cannot be scored."""

    def __init__(self, partition: int, offset: int) -> None:
        self.n = offset * MAX_PARTITIONS + partition
        self.is_dead = offset % DEAD_EVERY == DEAD_EVERY - 1
        self.score = SCORES[self.n % len(GOLDEN)]
        self.key = b"key-%d" % (self.n % 1000)
        self.timestamp = BORN_MS + self.n

    def value(self) -> bytes:
        return b"%s%d}" % (OPENINGS[self.is_dead][self.n % len(GOLDEN)], self.n)


class Feeder(threading.Thread):
    """Sends events in turn to each partition: the o-th one sent to a partition has offset o. What it owes after a rest it sends at
    up to twice the rate: all that it owes of the last debt_s seconds."""

    def __init__(self, bootstrap: str, topic: str, rate: int) -> None:
        super().__init__(daemon=True)
        self.topic, self.rate, self.partitions, self.sent = topic, rate, real.PARTITIONS, [0] * MAX_PARTITIONS
        self.producer = Producer({**CLIENT, "bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 2,
                                  "compression.type": "lz4", "message.timeout.ms": 0, "on_delivery": self.report})
        self.acked, self.failure, self.debt, self.debt_s = 0, None, 0.0, 1.0
        self.displaced: list[str] = []  # by the brokers' word: what is at its offset is another event
        self.go, self.stop = threading.Event(), threading.Event()
        self.lock = threading.Lock()  # who holds it has the counts of a moment in which nothing is sent

    def report(self, error: object, m: object) -> None:
        self.acked += error is None
        self.failure = error or self.failure
        serial = (m.timestamp()[1] - BORN_MS) // MAX_PARTITIONS
        if error is None and m.offset() != serial:
            self.displaced.append(f"[{m.partition()}] event {serial} is acknowledged at offset {m.offset()}")

    def run(self) -> None:
        turn, room, last = 0, 0.0, time.monotonic()
        while not self.stop.is_set():
            self.go.wait(0.5)
            now = time.monotonic()
            due, last = (now - last) * self.rate, now
            self.debt, room = min(self.debt + due, self.debt_s * self.rate), min(room + 2 * due, self.rate / 4)
            with self.lock:
                while min(self.debt, room) >= 1 and self.go.is_set() and len(self.producer) < 50000:
                    turn, room, self.debt = turn + 1, room - 1, self.debt - 1
                    p = turn % self.partitions
                    event = Event(p, self.sent[p])
                    self.producer.produce(self.topic, event.value(), event.key, p, timestamp=event.timestamp)
                    self.sent[p] += 1
            self.producer.poll(0.02)

    def counts(self) -> list[int]:
        with self.lock:
            return self.sent[: self.partitions]

    def is_flushed(self) -> bool:
        if self.failure:
            raise SystemExit(f"{self.topic} could not be fed: {self.failure}")
        self.producer.poll(0)
        return self.acked == sum(self.sent)


class Reader(threading.Thread):
    """Reads scores and dead letters as they come, and holds each against its event."""

    PLACE = re.compile(rb'"partition":(\d+),"offset":(\d+)')

    def __init__(self, bootstrap: str, name: str, digest: str, rate: int) -> None:
        super().__init__(daemon=True)
        self.bootstrap, self.name, self.digest = bootstrap, name, digest
        self.every = rate // 2000 | 1  # one of so many is compared; odd, for the dead are each 20th
        self.count = [bytearray() for _ in range(MAX_PARTITIONS)]  # outcomes by partition and offset
        self.next: dict[tuple[str, int], int] = {}
        self.again: list[tuple[int, int]] = []
        self.mismatched: list[str] = []
        self.waits_for: dict[int, int] = {}  # by partition the first offset fed after a disturbance's end
        self.recovered_at = 0.0
        self.stop, self.anew = threading.Event(), threading.Event()

    def open(self) -> Consumer:
        """One that reads on: what is not in self.next from its beginning."""
        consumer = Consumer({**CLIENT, "bootstrap.servers": self.bootstrap, "group.id": f"{self.name}-verifier", "fetch.wait.max.ms": 50,
                             "auto.offset.reset": "error", "enable.auto.commit": False, "isolation.level": "read_committed"})
        places = [(f"{self.name}-{what}", p) for what in ("scores", "dead") for p in range(real.PARTITIONS)]
        consumer.assign([TopicPartition(*place, self.next.get(place, OFFSET_BEGINNING)) for place in places])
        return consumer

    def made_anew(self, topic: str) -> None:
        """It was deleted, and all of it had been read."""
        self.next = {place: o for place, o in self.next.items() if place[0] != topic}
        self.anew.set()

    def run(self) -> None:
        consumer = self.open()
        while not self.stop.is_set():
            if self.anew.is_set():
                consumer.close()
                self.anew.clear()
                consumer = self.open()
            for m in consumer.consume(500, 0.05):
                if m.error() is None:
                    self.next[m.topic(), m.partition()] = m.offset() + 1
                    self.take(m)
        consumer.close()

    def take(self, m: object) -> None:
        try:
            p, o, wrong = self.judge(m)
        except (KeyError, TypeError, ValueError) as e:
            self.mismatched.append(f"unreadable outcome {m.topic()}[{m.partition()}] at {m.offset()}: {e!r}")
            return
        if wrong:
            self.mismatched.append(f"[{p}] {o}: {wrong}")
        count = self.count[p]
        count.extend(bytes(max(o + 1 - len(count), 0)))
        if count[o]:
            self.again.append((p, o))
        count[o] = min(count[o] + 1, 255)
        if o >= self.waits_for.get(p, o + 1):
            del self.waits_for[p]
            self.recovered_at = time.monotonic()

    def judge(self, m: object) -> tuple[int, int, str]:
        """Partition and offset of its event, and how it differs from what must become of that."""
        place = self.every > 1 and self.PLACE.search(m.value())
        if place and int(place[2]) % self.every:
            return int(place[1]), int(place[2]), ""
        headers = dict(m.headers() or [])
        if headers:
            p, o = int(headers["__connect.errors.partition"]), int(headers["__connect.errors.offset"])
            event = Event(p, o)
            reason, topic = (headers[f"__connect.errors.{name}"] for name in ("exception.class.name", "topic"))
            have = (True, reason, topic, m.value())
            want = (event.is_dead, b"wrong_type", self.name.encode(), event.value())
        else:
            v = json.loads(m.value())
            p, o = v["partition"], v["offset"]
            event = Event(p, o)
            have = (False, v["id"], v["topic"], v["carry"]["n"], struct.pack("<f", v["score"]))
            want = (event.is_dead, f"{self.name}-{p}-{o}-{self.digest[:12]}", self.name, str(event.n), event.score)
        have, want = (*have, m.key(), m.timestamp()[1]), (*want, event.key, event.timestamp)
        return p, o, "" if have == want else f"{have} instead of {want}"


class Verifier:
    def __init__(self, bootstrap: str, name: str, digest: str, is_exact: bool, rate: int) -> None:
        self.name, self.is_exact = name, is_exact
        self.feeder, self.reader = Feeder(bootstrap, name, rate), Reader(bootstrap, name, digest, rate)
        self.watcher = Consumer({**CLIENT, "bootstrap.servers": bootstrap, "group.id": name})
        self.windows: list[tuple[list[int], list[int]]] = []  # of disturbances: committed before, topic's end after
        self.told: dict[int, list[range]] = {}
        self.judged = [0] * MAX_PARTITIONS
        self.feeder.start()
        self.reader.start()

    def committed(self) -> list[int]:
        """Raises a KafkaException while brokers are away."""
        found = self.watcher.committed([TopicPartition(self.name, p) for p in range(self.feeder.partitions)], timeout=5)
        if any(t.error for t in found):
            raise KafkaException(next(t.error for t in found if t.error))
        return [max(t.offset, 0) for t in found]

    @contextmanager
    def still(self) -> Iterator[None]:
        """Nothing is on its way to the input. A broker that dies with something in its hands gets it again from the feeder's
        client when it is back, and may have it twice then, idempotence or not: offsets would tell other events."""
        with self.feeder.lock:
            real.until("all that is fed is acknowledged", 60, self.feeder.is_flushed)
            yield

    def await_committed(self, ends: list[int], seconds: float) -> None:
        """Until an offset behind one of these ends is committed, or nothing is in so many seconds."""
        found: list[list[int]] = []
        until(seconds, lambda: self.attempt(lambda: found.append(self.committed())) and any(c > e for c, e in zip(found[-1], ends)))

    def disturb(self) -> None:
        """Right before something is broken."""
        floor = []
        real.until(f"{self.name}: committed offsets", 30, lambda: self.attempt(lambda: floor.append(self.committed())))
        self.floor = floor[0]

    @staticmethod
    def attempt(do) -> bool:
        try:
            do()
        except KafkaException:
            return False
        return True

    def mended(self) -> None:
        """Right after it is whole again."""
        self.mended_at, self.took = time.monotonic(), None
        self.reader.waits_for = dict(enumerate(self.feeder.counts()))

    def recovery(self) -> float | None:
        """Seconds, once it has recovered; to be asked often, for the disturbance ends there."""
        if self.took is None and not self.reader.waits_for:
            self.took = max(self.reader.recovered_at - self.mended_at, 0)
            self.windows.append((self.floor, self.feeder.counts()))
        return self.took

    def is_drained(self) -> bool:
        """Nothing is fed: all of it is committed."""
        try:
            return self.feeder.is_flushed() and self.committed() == self.feeder.counts()
        except KafkaException:
            return False

    def finish(self, logs: list[Path], drain_s: float, read_s: float) -> bool:
        """Nothing is fed any more: waits until all is committed and has its outcome. False: it was not committed."""
        until(drain_s, self.is_drained)
        is_drained = self.is_drained()
        self.tell(logs)
        until(read_s, lambda: not self.missing())
        return is_drained

    def tell(self, logs: list[Path]) -> None:
        self.told.clear()
        for log in logs:
            for line in log.read_text().splitlines():
                gap = " event=gap " in line and re.search(r"partition=(\d+) from=(\d+) to=(\d+)", line)
                if gap:
                    p, first, end = map(int, gap.groups())
                    self.told.setdefault(p, []).append(range(first, end))

    def missing(self) -> list[tuple[int, int]]:
        """Fed since the last account, without an outcome, and not told as gap."""
        found = []
        for p, end in enumerate(self.feeder.counts()):
            count = self.reader.count[p] + bytes(max(end - len(self.reader.count[p]), 0))
            o = count.find(0, self.judged[p], end)
            while o >= 0:
                if not any(o in gap for gap in self.told.get(p, [])):
                    found.append((p, o))
                o = count.find(0, o + 1, end)
        return found

    def account(self) -> tuple[list, list, list]:
        """Lost, duplicated, mismatched since the last account; nothing is fed meanwhile."""
        lost = self.missing()
        again, self.reader.again = self.reader.again, []
        wrong, self.reader.mismatched = self.reader.mismatched, []
        ends = self.feeder.counts()
        self.judged[: len(ends)] = ends
        self.repeated = len(again)
        if not self.is_exact:
            again = [(p, o) for p, o in again if not any(p >= len(a) or a[p] <= o < b[p] for a, b in self.windows)]
        return lost, again, wrong

    def close(self) -> None:
        self.feeder.stop.set()
        self.reader.stop.set()
        self.feeder.join()
        self.reader.join()
        self.watcher.close()


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--bootstrap", required=True)
    p.add_argument("--name", required=True)
    p.add_argument("--digest", required=True, help="of the bundle, at least its first 12 digits: kscore model")
    p.add_argument("--exactly-once", action="store_true")
    p.add_argument("--rate", type=int, default=500)
    p.add_argument("--seconds", type=float, default=10)
    p.add_argument("--log", type=Path, nargs="*", default=[], help="of kscore: where it tells gaps")
    args = p.parse_args()
    verifier = Verifier(args.bootstrap, args.name, args.digest, args.exactly_once, args.rate)
    verifier.feeder.go.set()
    verifier.feeder.stop.wait(args.seconds)
    verifier.disturb()
    verifier.mended()
    real.until("the first outcomes of what is fed now", 60, lambda: verifier.recovery() is not None)
    verifier.feeder.go.clear()
    if not verifier.finish(args.log, 60, 45):
        raise SystemExit("not all is committed in 60 s")
    lost, again, wrong = verifier.account()
    print(f"fed {sum(verifier.judged):,}, lost {len(lost)}, duplicated {len(again)}, mismatched {len(wrong)}, "
          f"recovery {verifier.recovery():.1f} s", *lost[:3], *again[:3], *wrong[:3])
    verifier.close()
    raise SystemExit(bool(lost or again or wrong))


if __name__ == "__main__":
    main()
