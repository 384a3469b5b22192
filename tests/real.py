"""What the runs on real input share: a venv with pinned clients, a real broker, kscore as a process."""
from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("KSCORE_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kscore")
PACKAGES = ["confluent-kafka==2.16.1", "fastavro==1.12.1", "xgboost==3.2.0", "numpy==2.4.6", "scipy"]
PARTITIONS = 4


def in_venv() -> None:
    """Starts the script again in a venv of its own, made once, with pinned packages from PyPI."""
    venv = CACHE / "venv"
    if Path(sys.prefix) == venv:
        return
    if not (venv / "ready").exists():
        print(f"making {venv} with {', '.join(PACKAGES)}", flush=True)
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([venv / "bin/pip", "install", "-q", *PACKAGES], check=True)
        (venv / "ready").touch()
    os.execv(venv / "bin/python", [str(venv / "bin/python"), *sys.argv])


def install(venv: Path, pins: Path) -> str | None:
    """Makes the venv unless it is there; None, or why it cannot be."""
    digest, ready = hashlib.sha256(pins.read_bytes()).hexdigest(), venv / "ready"
    if ready.exists() and ready.read_text() == digest:
        return None
    shutil.rmtree(venv, ignore_errors=True)
    for command in (
        [sys.executable, "-m", "venv", venv],
        [venv / "bin/python", "-m", "pip", "install", "-q", "--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", pins],
    ):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            return (done.stdout.strip().splitlines() or [f"{command[0]} ended with {done.returncode}"])[-1]
    ready.write_text(digest)
    return None


def skip(why: str) -> None:
    """Says so, to tests/account, too."""
    print(f"skipped: {why}", flush=True)
    if "KSCORE_SKIPPED" in os.environ:
        with open(os.environ["KSCORE_SKIPPED"], "a") as skipped:
            skipped.write(why + "\n")


def in_pinned_venv(name: str, venv: Path) -> None:
    """Starts the script again in a venv, made once, with the packages of tests/NAME.txt by hash. Where that cannot be, the
    suite is skipped."""
    if Path(sys.prefix) == venv:
        return
    trouble = install(venv, HERE / f"{name}.txt")
    if trouble:
        skip(f"no packages for the suite {name}: {trouble}")
        Account().end_as_check()
    os.execv(venv / "bin/python", [str(venv / "bin/python"), *sys.argv])


class Broker:
    """A real Apache Kafka, started by tests/kafka."""

    START = ("start", "0")

    def __enter__(self) -> Broker:
        self.folder = Path(tempfile.mkdtemp(prefix="kscore-real-"))
        self.bootstrap = subprocess.run(
            [HERE / "kafka", self.START[0], self.folder / "broker", *self.START[1:]], check=True, stdout=subprocess.PIPE, text=True
        ).stdout.strip()
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "watcher"):
            self.watcher.close()  # or it complains about the broker's end
        subprocess.run([HERE / "kafka", "stop", self.folder / "broker"], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def topics(self, *names: str) -> None:
        from confluent_kafka.admin import AdminClient, NewTopic

        admin = AdminClient({"bootstrap.servers": self.bootstrap})  # held: its end cancels what is under way
        made = admin.create_topics(
            [NewTopic(n, PARTITIONS, 1, config={"retention.ms": "-1"}) for n in names]
        )
        for future in made.values():
            future.result()

    def read(self, topic: str) -> list:
        """Every message of a topic, once, to its present end."""
        from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "read", "enable.partition.eof": True})
        consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in range(PARTITIONS)])
        messages, ends, deadline = [], set(), time.monotonic() + 60
        while len(ends) < PARTITIONS:
            m = consumer.poll(1)
            if time.monotonic() > deadline:
                raise SystemExit(f"{topic} could not be read in 60 s")
            if m is None:
                continue
            if m.error() is None:
                messages.append(m)
            elif m.error().code() == KafkaError._PARTITION_EOF:
                ends.add(m.partition())
            else:
                raise SystemExit(f"{topic}: {m.error()}")
        consumer.close()
        return messages

    def ends(self, topic: str, partitions: int = PARTITIONS) -> list[int]:
        from confluent_kafka import Consumer, KafkaException, TopicPartition

        if not hasattr(self, "watcher"):
            self.watcher = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "watch", "log_level": 0})
        deadline = time.monotonic() + 60
        while True:
            try:
                return [self.watcher.get_watermark_offsets(TopicPartition(topic, p), timeout=10)[1] for p in range(partitions)]
            except KafkaException:  # a partition that is new to this client, or was without a leader
                if time.monotonic() > deadline:
                    raise
                self.watcher.list_topics(topic, 10)

    def count(self, topic: str) -> int:
        return sum(self.ends(topic))

    def committed(self, group: str, topic: str) -> list[int]:
        from confluent_kafka import Consumer, TopicPartition

        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": group})
        found = consumer.committed([TopicPartition(topic, p) for p in range(PARTITIONS)], timeout=10)
        consumer.close()
        return [max(t.offset, 0) for t in found]


def write_config(path: Path, broker: Broker, sections: dict[str, dict[str, object]]) -> Path:
    """Without a breaker, unless the sections say so: many of the events that tests send are bad on purpose."""
    letters = {"breaker_share": 1, **sections["dead_letters"]}
    sections = {"kafka": {"bootstrap.servers": broker.bootstrap}, **sections, "dead_letters": letters}
    path.write_text("".join(f"[{s}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()) for s, keys in sections.items()))
    return path


def until(what: str, seconds: float, done) -> None:
    """Polls with a deadline."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(f"not in {seconds} s: {what}")
        time.sleep(0.05)  # between two polls


class Account:
    """Counts what held and what did not, and says what was expected of what."""

    def __init__(self) -> None:
        self.passed = self.failed = 0

    def check(self, holds: bool, what: str, detail: str = "") -> None:
        self.passed, self.failed = self.passed + bool(holds), self.failed + (not holds)
        print(f"  {'ok  ' if holds else 'FAIL'} {what}{'' if holds else ': ' + detail}", flush=True)

    def end(self) -> None:
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(self.failed != 0)

    def end_as_check(self) -> None:
        """As Check's runners end, for tests/account."""
        count = self.passed + self.failed
        print(f"{self.passed * 100 // max(count, 1)}%: Checks: {count}, Failures: {self.failed}, Errors: 0", flush=True)
        sys.exit(self.failed != 0)
