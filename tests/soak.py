#!/usr/bin/env python3
"""A long time at a high rate, with a fault of tests/faults.py whenever the last one is over and all is calm: what does kscore hold
in memory, descriptors and threads? For a third of the time also faults that kscore does not survive; then one process must get
through to the end. What could not be fed during a fault is fed after it: the average is the rate.

    tests/soak.py [--minutes 30] [--rate 20000] [--mode exactly_once] [--seed 1] [--logs FOLDER]
    tests/soak.py --self-test                                  the verdict on memory, on series that are made up

The verdict on memory. It rises with each backlog, and what a backlog took is given back within some 10 s (core/mem.c).
So each minute and a half there is a rest: when all that was owed is fed and read, 45 s without a fault; the least of these is one
value. Through those of the last two thirds goes the line of Theil and Sen (the median of the slopes of all pairs), with its
interval of 95 %:

    grows          the interval lies above 0
    is not shown   it holds 0, but also 1 MiB a minute: too few values (below 8), or too wild
    does not grow  else; only this passes
"""
from __future__ import annotations

import argparse
import random
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import real

if __name__ == "__main__":
    real.in_venv()

import faults
from scipy.stats import theilslopes
from verifier import until

DEADLY = (faults.kill_kscore, faults.storm, faults.lower_limit)  # kscore is started anew after them
LASTING = (faults.add_partition,)  # a partition more takes memory for good
CALM_S, REST_S, REST_EVERY_S, CATCH_UP_S, READ_S = 10, 35, 90, 180, 300
MIN_VALUES, LEAK = 8, 1.0  # MiB by the minute


class Sample(NamedTuple):
    seconds: float
    rest: int  # of which rest; 0: of none
    pid: int
    rss_mib: float
    descriptors: int
    threads: int


class Gauge(threading.Thread):
    """Looks at the process each second, and says so each minute."""

    def __init__(self, lane: faults.Lane) -> None:
        super().__init__(daemon=True)
        self.lane, self.samples, self.fault, self.rest, self.start_s = lane, [], "", 0, time.monotonic()
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.wait(1):
            try:
                self.samples.append(self.look())
            except (FileNotFoundError, KeyError):  # between two processes
                continue
            if len(self.samples) % 60 == 0:
                s, v = self.samples[-1], self.lane.verifier
                print(f"{s.seconds / 60:5.1f} min  pid {s.pid:6}  {s.rss_mib:6.1f} MiB  {s.descriptors:3} descriptors  {s.threads:2} threads  "
                      f"fed {sum(v.feeder.counts()):,}  owed {v.feeder.debt:,.0f}  read {sum(map(len, v.reader.count)):,}  {self.fault}", flush=True)

    def look(self) -> Sample:
        rest, proc = self.rest, Path("/proc") / str(self.lane.workers["a"].process.pid)
        status = dict(line.split(":\t", 1) for line in (proc / "status").read_text().splitlines() if ":\t" in line)
        return Sample(time.monotonic() - self.start_s, rest, int(status["Pid"]), int(status["VmRSS"].split()[0]) / 1024,
                      len(list((proc / "fd").iterdir())), int(status["Threads"]))


def is_calm(lane: faults.Lane) -> bool:
    feeder, reader = lane.verifier.feeder, lane.verifier.reader
    return feeder.debt + sum(feeder.counts()) - sum(map(len, reader.count)) < 2 * feeder.rate


def has_ended(lane: faults.Lane) -> bool:
    return lane.workers["a"].process.poll() is not None


def soak(b: faults.Bench, gauge: Gauge, rows: list[faults.Row], seconds: float) -> list[str]:
    """Returns what took too long."""
    lane, slow, rests, rested_s = b.lanes[0], [], 0, 0.0
    while (now := time.monotonic() - gauge.start_s) < seconds:
        row = b.rng.choice([r for r in rows if now < seconds / 3 - 60 or r.do not in DEADLY + LASTING])
        if not until(CATCH_UP_S, lambda: is_calm(lane)):  # asked once: a burst behind it is no backlog
            slow.append(f"the backlog at {now:.0f} s, after {gauge.fault}")
        if now >= rested_s + REST_EVERY_S:
            gauge.rest = rests = rests + 1
            faults.wait(REST_S)
            rested_s = time.monotonic() - gauge.start_s
        faults.wait(CALM_S)
        gauge.rest, gauge.fault = 0, row.title
        lane.verifier.disturb()
        undo = row.do(b)
        lane.verifier.mended()
        until(faults.SETTLE_S, lambda: lane.verifier.recovery() is not None or has_ended(lane))
        if lane.verifier.recovery() is None:
            slow.append(f"{row.title} at {now:.0f} s" + ": kscore has ended" * has_ended(lane))
        gauge.fault += f": {lane.verifier.recovery() or -1:.1f} s"
        if undo:
            undo()
        if has_ended(lane):
            lane.start()
    until(CATCH_UP_S, lambda: is_calm(lane))
    lane.verifier.feeder.go.clear()
    return slow


def verdict(samples: list[Sample]) -> tuple[str, str]:
    """On their memory: what it does, and why."""
    rests: dict[int, list[Sample]] = {}
    for s in samples:
        if s.rest:
            rests.setdefault(s.rest, []).append(s)
    least = [min(part, key=lambda s: s.rss_mib) for part in rests.values()]
    listed = " ".join(f"{s.rss_mib:.0f}" for s in least)
    if len(least) < MIN_VALUES:
        return "is not shown", f"{len(least)} values: {listed}"
    slope, _, low, high = theilslopes([s.rss_mib for s in least], [s.seconds / 60 for s in least], 0.95)
    word = "grows" if low > 0 else "is not shown" if high >= LEAK else "does not grow"
    return word, f"{slope:+.2f} MiB a minute ({low:+.2f} to {high:+.2f}), {len(least)} values: {listed}"


def judge(account: real.Account, samples: list[Sample], from_s: float) -> None:
    late = [s for s in samples if s.seconds >= from_s]
    quarter = len(late) // 4
    account.check(len({s.pid for s in late}) == 1, "one process got through the last two thirds", str({s.pid for s in late}))
    word, why = verdict(late)
    print(f"memory {word}: {why}; with backlogs {min(s.rss_mib for s in late):.0f} to {max(s.rss_mib for s in late):.0f}")
    account.check(word == "does not grow", "memory does not grow", f"it {word}")
    for what in ("descriptors", "threads"):
        most = [max(getattr(s, what) for s in part) for part in (late[:quarter], late[-quarter:])]
        account.check(most[1] <= most[0], f"{what} do not grow: {most[1]}", f"{most[0]} to {most[1]}")


def made_up(rng: random.Random, leak: float, minutes: int) -> list[Sample]:
    """Each 30 s a fault whose backlog takes up to 150 MiB; each 120 s a rest, when up to 6 are still kept."""
    samples, kept, backlog = [], 0.0, 0.0
    for second in range(int(60 * minutes)):
        rest, at = divmod(second, 120)
        if at % 30 == 0:
            kept, backlog = rng.uniform(0, 6), rng.uniform(20, 150)
        is_rest = at >= 110
        held = 100 + leak * second / 60 + (kept if is_rest else backlog) + rng.uniform(0, 3)
        samples.append(Sample(second, is_rest * (rest + 1), 1, held, 19, 9))
    return samples


def self_test(account: real.Account) -> None:
    rng, times = random.Random(1), 100
    for leak, minutes, want, at_least in ((0, 20, "does not grow", 0.9), (LEAK, 20, "grows", 0.9), (2 * LEAK, 20, "grows", 1),
                                          (0, 5, "is not shown", 0.9), (LEAK, 5, "is not shown", 0.9), (LEAK, 4, "is not shown", 1)):
        found = [verdict(made_up(rng, leak, minutes))[0] for _ in range(times)]
        share = found.count(want) / times
        account.check(share >= at_least, f"{minutes} minutes of {leak} MiB a minute: it {want}, in {share:.0%}", f"below {at_least:.0%}")


def main() -> None:
    p = faults.arguments(__doc__)
    p.add_argument("--minutes", type=float, default=30)
    p.add_argument("--rate", type=int, default=20000)
    p.add_argument("--mode", choices=faults.MODES, default="exactly_once")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--rows", nargs="*", help="only faults whose titles have one of these words")
    p.add_argument("--self-test", action="store_true")
    args = p.parse_args()
    account = real.Account()
    self_test(account) if args.self_test else run(args, account)
    account.end()


def run(args: argparse.Namespace, account: real.Account) -> None:
    args.kscore = args.kscore.resolve()
    with ExitStack() as stack:
        b = faults.Bench(stack, args, faults.QUICK._replace(rate=args.rate), "proxy")
        b.rng.seed(args.seed)
        b.add("soak", args.mode)
        b.begin()
        verifier, gauge = b.lanes[0].verifier, Gauge(b.lanes[0])
        verifier.feeder.debt_s = float("inf")
        before = sum(verifier.feeder.counts())
        gauge.start()
        rows = [r for r in faults.ROWS if not r.on_trio and (not args.rows or any(w in r.title for w in args.rows))]
        slow = soak(b, gauge, rows, 60 * args.minutes)
        average = (sum(verifier.feeder.counts()) - before) / (time.monotonic() - gauge.start_s)
        gauge.stop.set()
        is_drained = verifier.finish(b.lanes[0].logs(), faults.SETTLE_S, READ_S)
        lost, again, wrong = verifier.account()
        print(f"fed {sum(verifier.judged):,}; came again {verifier.repeated:,}")
        account.check(average > 0.98 * args.rate, f"fed {average:,.0f} a second", f"of {args.rate:,}")
        account.check(is_drained, "all is committed")
        account.check(not slow, "every fault is recovered from, and its backlog", "; ".join(slow))
        for what, found in (("lost", lost), ("duplicated", again), ("mismatched", wrong)):
            account.check(not found, f"none {what}", f"{len(found)}: {found[:3]}")
        judge(account, gauge.samples, 20 * args.minutes)


if __name__ == "__main__":
    main()
