"""What tests/chaos.py breaks: a broker with its administrator's door, and kscore as processes."""
from __future__ import annotations

import re
import signal
import subprocess
from collections import defaultdict
from pathlib import Path

import crash
import real
from confluent_kafka import admin as kafka

SCORES, DEAD = f"{crash.TOPIC}-scores", f"{crash.TOPIC}-dead"


class Cluster:
    """The broker and its administrator. While it is down everything here raises a KafkaException or TimeoutError."""

    READ, WRITE = kafka.AclOperation.READ, kafka.AclOperation.WRITE
    ACLS = [(kafka.ResourceType.TOPIC, crash.TOPIC, READ), (kafka.ResourceType.GROUP, crash.GROUP, READ),
            (kafka.ResourceType.TOPIC, SCORES, WRITE), (kafka.ResourceType.TOPIC, DEAD, WRITE)]

    def __init__(self, broker: real.Broker) -> None:
        self.broker, self.is_up = broker, True
        self.admin = kafka.AdminClient({"bootstrap.servers": broker.bootstrap, "log_level": 0})

    def control(self, *words: str) -> None:
        folder = self.broker.folder / "broker"
        subprocess.run([real.HERE / "kafka", words[0], folder, *words[1:]], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def freeze(self, yes: bool) -> None:
        self.control("pause" if yes else "cont")
        self.is_up = not yes

    def wait(self, futures: dict) -> None:
        for future in futures.values():
            future.result(15)

    def set(self, topic: str, name: str, value: str) -> None:
        entry = kafka.ConfigEntry(name, value, incremental_operation=kafka.AlterConfigOpType.SET)
        self.wait(self.admin.incremental_alter_configs([kafka.ConfigResource(kafka.ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])]))

    def acl(self, binding: type, kind: object, name: str, operation: object) -> object:
        return binding(kind, name, kafka.ResourcePatternType.LITERAL, "User:kscore", "*", operation, kafka.AclPermissionType.ALLOW)

    def allow(self, *acls: tuple) -> None:
        self.wait(self.admin.create_acls([self.acl(kafka.AclBinding, *a) for a in acls]))

    def forbid(self, acl: tuple) -> None:
        self.wait(self.admin.delete_acls([self.acl(kafka.AclBindingFilter, *acl)]))


class Worker(crash.Runner):
    """A kscore that should run."""

    def __init__(self, kscore: Path, config: Path, log: Path, settings: dict[str, object]) -> None:
        super().__init__(kscore, config, log)
        self.command += [word for name, value in settings.items() for word in ("-s", f"{name}={value}")]
        self.is_frozen = False

    def freeze(self, yes: bool) -> None:
        self.is_frozen = yes
        self.process.send_signal(signal.SIGSTOP if yes else signal.SIGCONT)

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(40)


def gaps_of(workers: list[Worker]) -> dict[int, list[range]]:
    """Per partition, the offsets that somebody said are gone."""
    gaps = defaultdict(list)
    for worker in workers:
        for line in worker.lines("gap"):
            p, first, end = map(int, re.search(r"partition=(\d+) from=(\d+) to=(\d+)", line).groups())
            gaps[p].append(range(first, end))
    return gaps


def check_sums(account: real.Account, workers: list[Worker]) -> None:
    lines = [line for worker in workers for line in worker.lines("stopped")]
    sums = [dict(re.findall(r"(\w+)=(\d+)", line)) for line in lines]
    bad = [s for s in sums if int(s["consumed"]) != sum(int(s[k]) for k in ("scored", "dead", "skipped", "returned", "in_flight"))]
    account.check(not bad, f"P1's sum in {len(sums)} event=stopped lines", str(bad[:3]))
