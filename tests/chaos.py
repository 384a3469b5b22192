#!/usr/bin/env python3
"""Everything at once, at random, by seed: three kscore (two with `instance`) that are killed, stopped, frozen; a broker
that freezes, dies, refuses; deleted records, lowered size limits, a new partition. Rough times and calm ones take turns: at
the end of each everything has its outcome or lies in a gap that was said, and of a calm time, which has only joins and
SIGTERM, each exactly one."""
from __future__ import annotations

import argparse
import os
import random
import re
import time
from collections import defaultdict
from pathlib import Path

import real

if __name__ == "__main__":
    real.in_venv()

import crash
from breakable import DEAD, SCORES, Cluster, Worker, check_sums, gaps_of
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka import admin as kafka

TOPIC, GROUP = crash.TOPIC, crash.GROUP
SETTLE_S = 90
EARLY, AGAIN, DENIED = -15, 75, 77  # SIGTERM before the program had begun; not all was committed; before ready only
DOWN = (KafkaException, TimeoutError)


def wait(seconds: float) -> None:
    time.sleep(seconds)  # the instants are the test's input, between two polls


class Chaos:
    def __init__(self, cluster: Cluster, workers: list[Worker], feeder: crash.Feeder, rng: random.Random) -> None:
        self.cluster, self.workers, self.feeder, self.rng = cluster, workers, feeder, rng
        self.later: list[tuple[float, callable]] = []
        self.wrong: list[str] = []
        self.count: dict[str, int] = defaultdict(int)

    def after(self, seconds: float, do) -> None:
        self.later.append((time.monotonic() + seconds, do))

    def run_due(self, all_of_them: bool = False) -> None:
        for item in sorted(self.later, key=lambda i: i[0]):
            if item[0] <= time.monotonic() or all_of_them:
                self.later.remove(item)
                item[1]()

    # What may happen. Each says what it did, and mends later what it broke.

    def start_later(self, worker: Worker) -> None:
        worker.process = None
        self.after(self.rng.uniform(0, 2), worker.start)

    def kill(self, worker: Worker) -> str:
        worker.kill()
        self.start_later(worker)
        return ""

    def stop(self, worker: Worker, is_calm: bool = False) -> str:
        code = worker.end()
        if code not in ((0, EARLY) if is_calm else (0, EARLY, AGAIN)):
            self.note_end(worker, f"SIGTERM ended with {code}", code)
        self.start_later(worker)
        return f"exit {code}"

    def freeze(self, worker: Worker) -> str:
        seconds = self.rng.choice([0.5, 3, 9])  # the session lives 6
        worker.freeze(True)
        self.after(seconds, lambda: worker.freeze(False))
        return f"{seconds} s"

    def freeze_broker(self) -> str:
        seconds = self.rng.uniform(0.5, 10)
        self.cluster.freeze(True)
        self.after(seconds, lambda: self.cluster.freeze(False))
        return f"{seconds:.1f} s"

    def restart_broker(self) -> str:
        how = self.rng.choice(["kill", "stop"])
        self.cluster.control(how)
        wait(self.rng.uniform(0, 3))
        self.cluster.control("start", "0")
        return how

    def delete_records(self) -> str:
        p = self.rng.randrange(self.feeder.partitions)
        done = self.cluster.broker.committed(GROUP, TOPIC)[p]
        if done == 0:
            return "nothing committed: what goes now is no gap"
        end = self.cluster.broker.ends(TOPIC, self.feeder.partitions)[p]
        before = done + int((end - done) * self.rng.random())
        self.cluster.wait(self.cluster.admin.delete_records([TopicPartition(TOPIC, p, before)]))
        return f"[{p}] below {before}, committed {done}"

    def forbid(self) -> str:
        acl = self.rng.choice(self.cluster.ACLS)
        self.cluster.forbid(acl)
        self.after(self.rng.uniform(0.3, 6), lambda: self.mend(lambda: self.cluster.allow(acl)))
        return f"{acl[1]} {acl[2].name}"

    def lower_limit(self) -> str:
        topic, limit = self.rng.choice([SCORES, DEAD]), self.rng.choice([3000, 10000, 50000])
        self.cluster.set(topic, "max.message.bytes", str(limit))
        self.after(self.rng.uniform(1, 8), lambda: self.mend(lambda: self.cluster.set(topic, "max.message.bytes", "1048588")))
        return f"{topic} {limit}"

    def add_partition(self) -> str:
        if self.feeder.partitions == real.PARTITIONS:
            return "there is"
        self.cluster.wait(self.cluster.admin.create_partitions([kafka.NewPartitions(TOPIC, real.PARTITIONS)]))
        self.after(1, lambda: self.mend(self.use_partition))
        return ""

    def use_partition(self) -> None:
        """Of the new one the feeder's client must know before it can send to it."""
        if len(self.feeder.producer.list_topics(TOPIC, 5).topics[TOPIC].partitions) < real.PARTITIONS:
            raise TimeoutError
        self.feeder.partitions = real.PARTITIONS

    def mend(self, do) -> None:
        try:
            do()
        except DOWN:
            self.after(0.5, lambda: self.mend(do))

    def look(self) -> None:
        """Nobody may end by himself."""
        for worker in self.workers:
            if worker.process and worker.process.poll() is not None:
                self.note_end(worker, "ended by itself", worker.process.returncode)
                worker.start()

    def note_end(self, worker: Worker, what: str, code: int) -> None:
        last = (worker.lines("stopped") or [""])[-1]
        if code != DENIED or " consumed=0 " not in last:
            self.wrong.append(f"{worker.log.name}: {what}, {code}: {last}")

    def rough(self, seconds: float) -> None:
        of_worker = [self.kill, self.stop, self.freeze]
        of_cluster = [self.freeze_broker, self.restart_broker, self.delete_records, self.forbid, self.lower_limit, self.add_partition]
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.run_due()
            self.look()
            do = self.rng.choice(of_worker * 2 + of_cluster)
            worker = self.rng.choice([w for w in self.workers if w.process and not w.is_frozen] or [None])
            if do in of_worker and worker:
                self.say(do.__name__, worker.log.name, do(worker))
            elif do in of_cluster and self.cluster.is_up:
                try:
                    self.say(do.__name__, "", do())
                except DOWN as e:
                    self.say(do.__name__, "", f"could not: {e}")
            wait(self.rng.choice([0.1, 0.5, 2]))

    def calm(self, times: int) -> None:
        for _ in range(times):
            wait(self.rng.uniform(1, 2))
            worker = self.rng.choice(self.workers)
            self.say("stop", worker.log.name, self.stop(worker, is_calm=True))
            self.run_due(all_of_them=True)
            self.look()

    def say(self, what: str, whom: str, how: str) -> None:
        self.count[what] += 1
        print(f"  {time.strftime('%H:%M:%S')} {what} {whom} {how}", flush=True)

    def is_committed(self) -> bool:
        self.look()
        try:
            return self.cluster.broker.committed(GROUP, TOPIC) == self.feeder.sent
        except DOWN:
            return False  # its coordinator is still loading

    def settle(self) -> list[int]:
        """All is mended, and everything sent is committed. Returns what was sent."""
        while self.later:
            self.run_due(all_of_them=True)
        if not self.feeder.pause(SETTLE_S):
            raise SystemExit("the feeder hangs")
        start = time.monotonic()
        real.until("everything is committed", SETTLE_S, self.is_committed)
        self.say("settled", "", f"in {time.monotonic() - start:.1f} s, sent {sum(self.feeder.sent):,}")
        return list(self.feeder.sent)


def judge(account: real.Account, broker: real.Broker, staged: dict, truths: dict, sent: list[int], calm: list[tuple], gaps: dict) -> None:
    found = crash.outcomes_of(broker)
    lost, wrong, twice, unequal, missing = [], [], [], [], 0
    for p in range(real.PARTITIONS):
        for o in range(sent[p]):
            truth, seen = truths[p, o % len(staged[p])], found.pop((p, o), [])
            if not seen and truth["outcome"] != "skipped":
                missing += 1
                lost += [] if any(o in gap for gap in gaps[p]) else [(p, o)]
            want = (truth["outcome"], *((truth["stage"], truth["reason"]) if truth["outcome"] == "dead" else (None, None)))
            wrong += [(p, o, want, s[:3]) for s in seen if s[:3] != want]
            values = {re.sub(rb'"run":"\w+"', b"", s[5]) for s in seen if s[5] is not None}  # the run names the process
            unequal += [(p, o)] if len({s[3:5] for s in seen}) > 1 or len(values) > 1 else []
            twice += [(p, o)] if len(seen) > 1 and any(a[p] <= o < b[p] for a, b in calm) else []
    total = sum(sent)
    account.check(not lost, f"each of {total:,} records has an outcome or lies in a gap that was said ({missing:,})", f"{len(lost)}: {lost[:5]}")
    account.check(not found, "no outcome is of an offset that was never written", str(list(found)[:5]))
    account.check(not wrong, "each is the outcome that the truth names", f"{len(wrong)}: {wrong[:5]}")
    account.check(not unequal, "what came twice is equal", f"{len(unequal)}: {unequal[:5]}")
    account.check(not twice, "of calm times nothing came twice", f"{len(twice)}: {twice[:5]}")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, default=Path(os.environ.get("KSCORE_DATA", "../shared/data")))
    p.add_argument("--kscore", type=Path, default=Path("build/release/kscore"))
    p.add_argument("--seed", type=int, default=random.randrange(10**6))
    p.add_argument("--rounds", type=int, default=3, help="a rough and a calm time each, about 100 s")
    p.add_argument("--rough", type=float, default=40, metavar="SECONDS")
    p.add_argument("--logs", type=Path, help="keep the logs in this folder")
    args = p.parse_args()
    print(f"seed {args.seed}", flush=True)
    account, rng = real.Account(), random.Random(args.seed)
    os.environ["AUTH"] = "1"
    with real.Broker() as broker:
        cluster = Cluster(broker)
        broker.topics(SCORES, DEAD)
        cluster.wait(cluster.admin.create_topics([kafka.NewTopic(TOPIC, real.PARTITIONS - 1, 1, config={"retention.ms": "-1"})]))
        cluster.allow(*cluster.ACLS)
        staged, truths = crash.stage(args, broker)
        config, logs = crash.configure(args, broker), args.logs or broker.folder
        logs.mkdir(exist_ok=True)
        config.write_text(config.read_text().replace("[kafka]\n", "[kafka]\nsasl.password = kscore\n"))
        host, port = broker.bootstrap.split(":")
        settings = {"kafka.bootstrap.servers": f"{host}:{int(port) + 1}", "kafka.security.protocol": "SASL_PLAINTEXT",
                    "kafka.sasl.mechanism": "PLAIN", "kafka.sasl.username": "kscore",
                    "consumer.session.timeout.ms": 6000, "consumer.heartbeat.interval.ms": 1000,
                    "consumer.topic.metadata.refresh.interval.ms": 3000}
        workers = [Worker(args.kscore, config, logs / f"worker-{i}.log", settings | {"kscore.instance": ("a", "b", "")[i]}) for i in range(3)]
        feeder = crash.Feeder(broker, staged, random.Random(args.seed + 1))
        feeder.partitions = real.PARTITIONS - 1
        chaos, calm = Chaos(cluster, workers, feeder, rng), []
        for worker in workers:
            worker.start()
        try:
            feeder.start()
            for _ in range(args.rounds):
                feeder.go.set()
                chaos.rough(args.rough)
                before = chaos.settle()
                feeder.go.set()
                chaos.calm(4)
                calm.append((before, chaos.settle()))
            for worker in workers:
                code = worker.end()
                account.check(code == 0, f"{worker.log.name}: exit 0 at the end", str(code))
            judge(account, broker, staged, truths, feeder.sent, calm, gaps_of(workers))
            check_sums(account, workers)
            account.check(not chaos.wrong, "nobody ended by himself or with a wrong code", str(chaos.wrong))
            print(f"seed {args.seed}: {sum(feeder.sent):,} records, " + ", ".join(f"{n} {what}" for what, n in chaos.count.items()))
        finally:
            for worker in workers:
                if worker.process and worker.process.poll() is None:
                    worker.kill()
    account.end()


if __name__ == "__main__":
    main()
