#!/usr/bin/env python3
"""Every fault, both delivery modes at once, on a real Kafka: a kscore of each mode scores numbered events while something is
broken and mended; tests/verifier.py says what was lost, duplicated, mismatched, and how long it took to recover.

    tests/faults.py [--long] [--times N] [--rows WORD...] [--assignment STRATEGY] [--librdkafka PATH]
                                                               each row once, with shortened time-outs; --long: the counts of
                                                               docs/faults.md, with the defaults
    tests/faults.py --self-test                                the verifier against a kscore that is deliberately broken
"""
from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import real

if __name__ == "__main__":
    real.in_venv()

from breakable import Cluster, Worker
from confluent_kafka import TopicPartition
from confluent_kafka import admin as kafka
from verifier import BUNDLE, CLIENT, Verifier, until

MODES = ("at_least_once", "exactly_once")
SLACK_S, SETTLE_S, TRANSACTION_S = 15, 90, 30
SLOW = float(os.environ.get("KSCORE_TEST_SLOW", 1))
ENDS = (None, 0, 75, -signal.SIGKILL, -signal.SIGTERM)  # 75: not all was committed; -15: before the program had begun


class Times(NamedTuple):
    """Seconds: time-outs of kscore's clients, how long a fault lasts, events a second and mode."""

    session: float
    socket: float
    refresh: float
    outage: float
    storm: float
    rate: int


QUICK, LONG = Times(6, 6, 3, 8, 15, 500), Times(45, 20, 60, 25, 60, 2000)


def wait(seconds: float) -> None:
    time.sleep(seconds)  # how long a fault lasts is the test's input, between two polls


def said_later(b: Bench, sign: str):
    """A fault that lasts until every kscore has said what it waits for, which takes 5 s of silence and more."""
    before = [lane.said(sign) for lane in b.lanes]
    return lambda: until(40 * SLOW, lambda: all(lane.said(sign) > n for lane, n in zip(b.lanes, before)))


def knows(host: str, topic: str) -> bool:
    """A new client asks the only broker it knows."""
    return topic in kafka.AdminClient({**CLIENT, "bootstrap.servers": host}).list_topics(timeout=10).topics


class Lane:
    """One mode: its topics, its kscore, its verifier."""

    def __init__(self, bench: Bench, name: str, mode: str, broken: str = "") -> None:
        self.bench, self.name, self.mode, self.broken = bench, name, mode, broken
        self.workers: dict[str, Worker] = {}
        self.scores, self.dead = f"{name}-scores", f"{name}-dead"
        bench.make(name, self.scores, self.dead)
        bench.allow(self)
        self.config = real.write_config(
            bench.logs / f"{name}.ini", bench.broker,
            {"kafka": bench.client, "kscore": {"name": name, "delivery": mode},
             "consumer": {"topic": name, "format": "json", "session.timeout.ms": int(1000 * bench.times.session), **bench.assignment},
             "model": {"path": BUNDLE}, "producer": {"topic": self.scores, "carry": "n"}, "dead_letters": {"topic": self.dead}})
        self.verifier = Verifier(bench.broker.bootstrap, name, bench.digest, mode == "exactly_once", bench.times.rate)

    def start(self, instance: str = "a") -> Worker:
        if instance not in self.workers:
            self.workers[instance] = Worker(self.bench.kscore, self.config, self.bench.logs / f"{self.name}-{instance}.log",
                                            {"kscore.instance": f"{self.name}-{instance}"})
            self.workers[instance].log.unlink(missing_ok=True)
        worker = self.workers[instance]
        preloads = [self.bench.preload] * bool(self.broken) + self.bench.librdkafka
        os.environ.update(LD_PRELOAD=":".join(map(str, preloads)), KSCORE_BROKEN=self.broken)
        worker.start()
        os.environ.update(LD_PRELOAD="")
        return worker

    def logs(self) -> list[Path]:
        return [w.log for w in self.workers.values()]

    def said(self, sign: str) -> int:
        return sum(len(re.findall(sign, log.read_text())) for log in self.logs())

    def would_say(self, sign: str) -> bool:
        """Not while it has just said so: what comes again within 10 s is counted, not repeated (core/log.c)."""
        lines = [line for log in self.logs() for line in log.read_text().splitlines() if re.search(sign, line)]
        newest = max((datetime.fromisoformat(line[:23] + "+00:00") for line in lines), default=None)
        return newest is None or datetime.now(timezone.utc) - newest > timedelta(seconds=10)

    def stop(self) -> None:
        for worker in self.workers.values():
            if worker.process and worker.process.poll() is None:
                worker.process.send_signal(signal.SIGCONT)
                worker.kill()
        self.verifier.close()


class Bench:
    """A cluster and its lanes, of a kind: one broker, with a password, "plain" or behind a "proxy"; a "trio" of brokers."""

    def __init__(self, stack: ExitStack, args: argparse.Namespace, times: Times, kind: str) -> None:
        self.kscore, self.preload, self.librdkafka = args.kscore, args.preload, args.librdkafka
        self.assignment = {"partition.assignment.strategy": args.assignment} if args.assignment else {}
        self.times, self.is_trio, has_proxy = times, kind == "trio", kind == "proxy"
        os.environ.update(AUTH="" if self.is_trio else "1", PROXY="1" if has_proxy else "")
        self.broker = stack.enter_context(Trio() if self.is_trio else real.Broker())
        self.logs = (args.logs or self.broker.folder) / kind
        self.logs.mkdir(parents=True, exist_ok=True)
        self.cluster = Cluster(self.broker)
        self.client = {"bootstrap.servers": self.broker.bootstrap, "socket.timeout.ms": int(1000 * times.socket),
                       "topic.metadata.refresh.interval.ms": int(1000 * times.refresh)}
        if not self.is_trio:
            port = int(self.broker.bootstrap.split(":")[1])
            self.client.update({"bootstrap.servers": f"127.0.0.1:{port + (7 if has_proxy else 1)}", "security.protocol": "SASL_PLAINTEXT",
                                "sasl.mechanism": "PLAIN", "sasl.username": "kscore", "sasl.password": "kscore"})
        if has_proxy:
            words = [sys.executable, real.HERE / "proxy.py", str(port + 7), str(port + 1)]
            self.proxy = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
            stack.callback(self.proxy.communicate)  # the end of its input is its end
            self.proxy.stdout.readline()
        described = subprocess.run([self.kscore, "model", BUNDLE, "--json"], check=True, stdout=subprocess.PIPE)
        self.digest, self.lanes, self.rng = json.loads(described.stdout)["digest"], [], random.Random(1)
        stack.callback(lambda: [lane.stop() for lane in self.lanes])

    def add(self, *lane: str) -> None:
        self.lanes.append(Lane(self, *lane))

    def begin(self) -> None:
        for lane in self.lanes:
            lane.start()
            lane.verifier.feeder.go.set()
        for lane in self.lanes:
            real.until(f"{lane.name} scores", 60 * SLOW, lambda: lane.said("event=ready") and any(lane.verifier.reader.count))

    def make(self, *topics: str) -> None:
        replicas = 3 if self.is_trio else 1
        config = {"retention.ms": "-1", "min.insync.replicas": str((replicas + 1) // 2)}
        new = [kafka.NewTopic(t, real.PARTITIONS, replicas, config=config) for t in topics]
        self.cluster.wait(self.cluster.admin.create_topics(new))
        for host in self.broker.bootstrap.split(","):
            real.until(f"{host} knows {topics}", 60, lambda: all(knows(host, t) for t in topics))

    def allow(self, lane: Lane) -> None:
        if self.is_trio:
            return
        op, kind = kafka.AclOperation, kafka.ResourceType
        self.cluster.allow((kind.TOPIC, lane.name, op.READ), (kind.GROUP, lane.name, op.READ),
                           *((kind.TOPIC, t, o) for t in (lane.scores, lane.dead) for o in (op.WRITE, op.DESCRIBE_CONFIGS)),
                           *((kind.TRANSACTIONAL_ID, f"{lane.name}-{lane.name}-{i}-0", op.WRITE) for i in "abcd"))
        ours = self.cluster.acl(kafka.AclBindingFilter, kind.TRANSACTIONAL_ID, f"{lane.name}-{lane.name}-d-0", op.WRITE)
        real.until("the broker knows the permissions", 30, lambda: self.cluster.admin.describe_acls(ours).result(15))

    def network(self, word: str) -> None:
        self.proxy.stdin.write(word + "\n")

    def write(self, lane: Lane, yes: bool) -> None:
        acl = (kafka.ResourceType.TOPIC, lane.scores, kafka.AclOperation.WRITE)
        self.cluster.allow(acl) if yes else self.cluster.forbid(acl)


class Trio(real.Broker):
    """Three brokers."""

    START = ("trio",)

    def __enter__(self) -> Trio:
        super().__enter__()
        admin = kafka.AdminClient({**CLIENT, "bootstrap.servers": self.bootstrap})
        real.until("three brokers", 60, lambda: len(admin.list_topics(timeout=10).brokers) == 3)
        return self

    def __exit__(self, *what: object) -> None:
        for node in "123":
            subprocess.run([real.HERE / "kafka", "stop", self.folder / "broker" / node], check=False)
        super().__exit__(*what)


# ------------------------------------------------------------------------------------------------ the faults
# Each breaks, and returns when all is mended. What must be undone after the account, it returns.


def kill_kscore(b: Bench):
    wait(b.rng.uniform(0, 1))
    for lane in b.lanes:
        lane.workers["a"].kill()
        lane.start()


def crash(b: Bench, folder: Path) -> None:
    with ExitStack() as still:
        for lane in b.lanes:
            still.enter_context(lane.verifier.still())
        subprocess.run([real.HERE / "kafka", "kill", folder], check=True)


def kill_broker(b: Bench):
    crash(b, b.broker.folder / "broker")
    wait(b.rng.uniform(0, 2))
    b.cluster.control("start", "0")


def lose_node(b: Bench, node: int):
    folder = b.broker.folder / "broker" / str(node)
    crash(b, folder)
    return lambda: subprocess.run([real.HERE / "kafka", "start", folder, "0"], check=True, stdout=subprocess.DEVNULL)


def kill_one_of_three(b: Bench):
    return lose_node(b, b.rng.choice([1, 2, 3]))


def java_hash(text: str) -> int:
    h = 0
    for c in text:
        h = (31 * h + ord(c)) & 0xFFFFFFFF
    return h & 0x7FFFFFFF


def lose_coordinator(b: Bench):
    """Of exactly_once's transactions; else of the group."""
    lane = b.lanes[-1]
    topics = b.cluster.admin.list_topics(timeout=10).topics
    return lose_node(b, topics["__transaction_state"].partitions[java_hash(f"{lane.name}-{lane.name}-a-0") % 4].leader)


def want_all_three(b: Bench):
    """The output wants three replicas, and has two, until kscore has said that it waits."""
    for lane in b.lanes:
        b.cluster.set(lane.scores, "min.insync.replicas", "3")
    wait_said = said_later(b, STARVED)
    undo = kill_one_of_three(b)
    wait_said()
    for lane in b.lanes:
        b.cluster.set(lane.scores, "min.insync.replicas", "2")
    return undo


def freeze_kscore(b: Bench):
    """For longer than its session, while another one takes over; then both run."""
    others = [lane.start("b") for lane in b.lanes]
    real.until("the other one has joined", 60, lambda: all(w.lines("assigned") for w in others))
    for lane in b.lanes:
        lane.workers["a"].freeze(True)
    wait(b.times.session + 2)
    for lane in b.lanes:
        lane.workers["a"].freeze(False)
    return lambda: [lane.workers["b"].end() for lane in b.lanes]


def freeze_broker(b: Bench):
    b.cluster.freeze(True)
    wait(b.times.outage)
    b.cluster.freeze(False)


def network(mode: str):
    def fault(b: Bench):
        b.network(mode)
        wait(b.times.outage)
        b.network("pass")

    return fault


def reset_network(b: Bench):
    """Cut, and all that was under way is gone."""
    b.network("cut")
    wait(b.times.outage)
    b.network("reset")
    b.network("pass")


def storm(b: Bench):
    """Four instances join and leave: by SIGTERM, by SIGKILL."""
    end, leaving = time.monotonic() + b.times.storm, set()
    while time.monotonic() < end:
        for lane in b.lanes:
            name = b.rng.choice("abcd")
            worker = lane.workers.get(name)
            if not worker or worker.process.poll() is not None:
                lane.start(name)
                leaving.discard(worker)
            elif b.rng.random() < 0.3 or worker in leaving:
                worker.kill()
            else:
                worker.process.terminate()
                leaving.add(worker)
        wait(b.rng.uniform(0.2, 1.5))
    for lane in b.lanes:
        for worker in lane.workers.values():
            if worker.process.poll() is None:
                worker.end()
        lane.start()


def remake_output(b: Bench):
    """Nothing was under way when it went: what is acknowledged and then deleted is lost by the deletion."""
    for lane in b.lanes:
        lane.verifier.feeder.go.clear()
    for lane in b.lanes:
        lane.verifier.tell(lane.logs())
        real.until(f"{lane.name} is drained", SETTLE_S, lambda: lane.verifier.is_drained() and not lane.verifier.missing())
    wait_said = said_later(b, GONE)
    b.cluster.wait(b.cluster.admin.delete_topics([lane.scores for lane in b.lanes]))
    wait(1)
    for lane in b.lanes:
        lane.verifier.reader.made_anew(lane.scores)
        lane.verifier.feeder.go.set()
    wait(4)
    wait_said()
    b.make(*(lane.scores for lane in b.lanes))


def forbid_writing(b: Bench):
    for lane in b.lanes:
        b.write(lane, False)
    wait(4)
    for lane in b.lanes:
        b.write(lane, True)


def lower_limit(b: Bench):
    """While a backlog waits for kscore, frozen, which then writes large batches."""
    for lane in b.lanes:
        lane.workers["a"].freeze(True)
        b.cluster.set(lane.scores, "max.message.bytes", "3000")
    wait(2)
    for lane in b.lanes:
        lane.workers["a"].freeze(False)
    return lambda: [raise_limit(b, lane) for lane in b.lanes]


def raise_limit(b: Bench, lane: Lane) -> None:
    """And start anew: until then kscore writes batches below the lowest limit that it has seen."""
    b.cluster.set(lane.scores, "max.message.bytes", "1048588")
    lane.workers["a"].end()
    lane.start()


def overtake(b: Bench):
    """Records go that kscore, frozen, has neither read nor committed."""
    for lane in b.lanes:
        lane.workers["a"].freeze(True)
    wait(3)
    fresh = Cluster(b.broker)  # the other client may not know of a partition that was added
    for lane in b.lanes:
        ends = b.broker.ends(lane.name, lane.verifier.feeder.partitions)
        below = [TopicPartition(lane.name, p, end - 50) for p, end in enumerate(ends)]
        fresh.wait(fresh.admin.delete_records(below))
        lane.workers["a"].freeze(False)


def add_partition(b: Bench):
    for lane in b.lanes:
        feeder, more = lane.verifier.feeder, lane.verifier.feeder.partitions + 1
        b.cluster.wait(b.cluster.admin.create_partitions([kafka.NewPartitions(lane.name, more)]))
        real.until("the feeder knows it", 30, lambda: len(feeder.producer.list_topics(lane.name, 5).topics[lane.name].partitions) == more)
        feeder.partitions = more


GONE = "event=(delivery_failed|waiting)"
STARVED = "min.insync.replicas = 3: nothing can be written"


class Row(NamedTuple):
    title: str
    times: int  # with --long
    governs: str  # the time-out: of Times, "broker" (its session, 3 s in tests/kafka), "transaction", or none
    do: object
    sign: str = ""  # what kscore must log of it: else it was no fault
    on_trio: bool = False


ROWS = [
    Row("kill -9 of kscore", 100, "", kill_kscore, "event=starting"),
    Row("kill -9 of the broker, 1 of 1", 5, "", kill_broker, "event=kafka"),
    Row("SIGSTOP of kscore", 5, "session", freeze_kscore, "event=revoked"),
    Row("SIGSTOP of the broker", 5, "socket", freeze_broker, "[Tt]imed out"),
    Row("network cut, comes late", 3, "socket", network("cut"), "[Tt]imed out"),
    Row("network cut, reset", 3, "socket", reset_network, "event=kafka"),
    Row("network delayed", 3, "", network("delay")),
    Row("network trickling", 3, "socket", network("trickle")),
    Row("4 instances join and leave", 3, "transaction", storm, "event=revoked"),
    Row("output topic deleted and made anew", 3, "", remake_output, GONE),
    Row("write permission taken and given back", 3, "", forbid_writing, "event=(delivery_failed|waiting)"),
    Row("topic's size limit lowered", 3, "", lower_limit, "size limit was lowered"),
    Row("retention overtakes", 3, "", overtake, "event=gap"),
    Row("partition added", 3, "refresh", add_partition, "event=assigned"),
    Row("kill -9 of the broker, 1 of 3", 5, "broker", kill_one_of_three, "event=kafka", True),
    Row("transaction coordinator lost", 3, "broker", lose_coordinator, "event=kafka", True),
    Row("not enough replicas", 3, "", want_all_three, STARVED, True),
]


# ------------------------------------------------------------------------------------------------ the account


class Result:
    """Of one row and mode."""

    def __init__(self) -> None:
        self.times = self.lost = self.duplicated = self.mismatched = self.repeated = self.told = 0
        self.recovery = 0.0
        self.why: list[str] = []


def governing_s(times: Times, row: Row) -> float:
    longer = max(TRANSACTION_S, times.session)  # a killed member's partitions and its transaction
    return {"": 0, "broker": 3, "transaction": longer, **times._asdict()}[row.governs]


def run_once(b: Bench, row: Row, results: dict[str, Result]) -> None:
    limit = SLOW * SLACK_S + governing_s(b.times, row)
    for lane in b.lanes:
        lane.verifier.feeder.go.set()
    wait(b.rng.uniform(0.5, 1.5))
    for lane in b.lanes:
        lane.verifier.disturb()
    undo = row.do(b)
    for lane in b.lanes:
        lane.verifier.mended()
    until(SETTLE_S, lambda: all([lane.verifier.recovery() is not None for lane in b.lanes]))
    for lane in b.lanes:
        lane.verifier.feeder.go.clear()
    for lane in b.lanes:
        settle(lane, results[lane.mode], limit)
    if undo:
        undo()


def settle(lane: Lane, result: Result, limit: float) -> None:
    """All that was fed has its outcome, or never will."""
    verifier, took = lane.verifier, lane.verifier.recovery()
    if took is None or took > limit:
        result.why.append(f"recovery took {'more than ' + str(SETTLE_S) if took is None else round(took, 1)} s, at most {limit} s")
    result.recovery = max(result.recovery, SETTLE_S if took is None else took)
    # Readers wait for what a killed one left open.
    if not verifier.finish(lane.logs(), SETTLE_S, TRANSACTION_S + SLACK_S):
        result.why.append(f"not committed in {SETTLE_S} s")
    lost, again, wrong = verifier.account()
    result.times += 1
    result.lost += len(lost)
    result.duplicated += len(again)
    result.mismatched += len(wrong)
    result.repeated += verifier.repeated
    for what, found in (("lost", lost), ("duplicated", again), ("mismatched", wrong)):
        if found:
            result.why.append(f"{len(found)} {what}: {found[:3]}")
    if displaced := verifier.feeder.displaced:  # then the rest says nothing of kscore
        result.why.append(f"the input is not as it was fed, {len(displaced)} times: {displaced[:3]}")
    for name, worker in lane.workers.items():
        code = worker.process.poll()
        if code not in (ENDS[:1] if name == "a" else ENDS):
            result.why.append(f"{worker.log.name} ended with {code}")
        if worker.lines("invariant") or worker.lines("failed"):
            result.why.append(f"{worker.log.name} failed: {(worker.lines('failed') or worker.lines('invariant'))[-1]}")
    if lane.workers["a"].process.poll() is not None:
        lane.start()


HEAD = f"{'fault':38} {'mode':14} {'times':>5} {'lost':>5} {'dup.':>5} {'mism.':>5} {'again':>6} {'recovery':>9}  governed by"


def run_rows(args: argparse.Namespace, account: real.Account, times: Times) -> None:
    print(HEAD, flush=True)
    for kind in ("proxy", "trio"):
        rows = [r for r in ROWS if r.on_trio == (kind == "trio") and (not args.rows or any(w in r.title for w in args.rows))]
        if not rows:
            continue
        with ExitStack() as stack:
            b = Bench(stack, args, times, kind)
            for mode in MODES:
                b.add(mode.replace("_", "-"), mode)
            b.begin()
            for row in rows:
                results = {mode: Result() for mode in MODES}
                until(15, lambda: not row.sign or all(lane.would_say(row.sign) for lane in b.lanes))
                before = [lane.said(row.sign) for lane in b.lanes]
                for _ in range(args.times or (row.times if args.long else 1)):
                    run_once(b, row, results)
                for lane, said in zip(b.lanes, before):  # what it says again is counted, not repeated
                    if row.sign and lane.said(row.sign) == said:
                        results[lane.mode].why.append(f"kscore did not notice: no {row.sign} in its log")
                for mode, r in results.items():
                    governs = f"{row.governs} {governing_s(times, row)} s" if row.governs else "-"
                    print(f"{row.title:38} {mode:14} {r.times:5} {r.lost:5} {r.duplicated:5} {r.mismatched:5} {r.repeated:6} "
                          f"{r.recovery:7.1f} s  {governs}", flush=True)
                    account.check(not r.why, f"{row.title}, {mode}", "; ".join(r.why))


# ------------------------------------------------------------------------------------------------ the verifier's own test

BROKEN = {
    "at_least_once": {"": "", "commit": "lost", "deaf": "lost", "mute": "stuck", "twice": "duplicated", "alter": "mismatched"},
    "exactly_once": {"": "", "commit": "lost", "forget": "stuck", "twice": "duplicated", "alter": "mismatched"},
}


def self_test(args: argparse.Namespace, account: real.Account, times: Times) -> None:
    with ExitStack() as stack:
        b = Bench(stack, args, times._replace(rate=100, socket=20, session=45), "plain")
        for mode, ways in BROKEN.items():
            for how in ways:
                b.add(f"{mode.replace('_', '-')}-{how or 'sound'}", mode, how)
            b.begin()
            forbid_and_kill(b)
            for lane in b.lanes:
                lane.verifier.feeder.go.clear()
            for lane in b.lanes:
                judge_broken(account, lane)
                lane.stop()
            b.lanes.clear()


def forbid_and_kill(b: Bench) -> None:
    """Outcomes cannot be written for a second, then kscore is killed, then all is well again; twice. One that loses has
    committed by then what it could not write, however slow the machine is."""
    for _ in range(2):
        rewound = {lane.name: lane.said("event=rewound") for lane in b.lanes}
        for lane in b.lanes:
            lane.verifier.disturb()
            b.write(lane, False)
        wait(1)
        for lane in b.lanes:
            if BROKEN[lane.mode][lane.broken] == "lost":
                await_loss(lane, rewound[lane.name])
        for lane in b.lanes:
            lane.workers["a"].kill()
            b.write(lane, True)
            lane.start()
            lane.verifier.mended()
        until(SLOW * SLACK_S, lambda: all([lane.verifier.recovery() is not None for lane in b.lanes]))


def await_loss(lane: Lane, rewound: int) -> None:
    """With exactly_once it takes nothing more behind a rewind: what is lost is what it had taken."""
    if lane.mode == "exactly_once":
        until(SLOW * SLACK_S, lambda: lane.said("event=rewound") > rewound)
    else:
        lane.verifier.await_committed(lane.verifier.feeder.counts(), SLOW * SLACK_S)


def judge_broken(account: real.Account, lane: Lane) -> None:
    want, verifier = BROKEN[lane.mode][lane.broken], lane.verifier
    found = set() if verifier.finish(lane.logs(), SLOW * SLACK_S, 0 if want else SLACK_S) else {"stuck"}
    counts = dict(zip(("lost", "duplicated", "mismatched"), map(len, verifier.account())))
    found |= {what for what, count in counts.items() if count}
    what = f"{lane.mode}, {lane.broken or 'sound'}: {want or 'nothing'}"
    account.check(want in found if want else not found, f"{what} is found", f"{counts}, {found}")


def arguments(doc: str) -> argparse.ArgumentParser:
    """With those of a Bench."""
    p = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--kscore", type=Path, default=Path("build/release/kscore"))
    p.add_argument("--preload", type=Path, default=Path("build/release/broken.so"))
    p.add_argument("--librdkafka", type=Path, nargs=1, default=[], help="one for kscore instead of the system's")
    p.add_argument("--assignment", help="[consumer] partition.assignment.strategy of all")
    p.add_argument("--logs", type=Path, help="keep the logs in this folder")
    return p


def main() -> None:
    p = arguments(__doc__)
    p.add_argument("--long", action="store_true")
    p.add_argument("--times", type=int, help="each row so often")
    p.add_argument("--rows", nargs="*", help="only rows whose titles have one of these words")
    p.add_argument("--self-test", action="store_true")
    args = p.parse_args()
    args.kscore, args.preload = args.kscore.resolve(), args.preload.resolve()
    account = real.Account()
    (self_test if args.self_test else run_rows)(args, account, LONG if args.long else QUICK)
    account.end()


if __name__ == "__main__":
    main()
