#!/usr/bin/env python3
"""A long time at a high rate, with a fault of tests/faults.py twice a minute: what does kscore hold in memory, descriptors and
threads? For a third of the time also faults that kscore does not survive; then one process must get through to the end.

    tests/soak.py [--minutes 30] [--rate 20000] [--mode exactly_once] [--seed 1] [--logs FOLDER]
"""
from __future__ import annotations

import statistics
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import real

if __name__ == "__main__":
    real.in_venv()

import faults
from verifier import until

DEADLY = (faults.kill_kscore, faults.storm, faults.lower_limit)  # kscore is started anew after them
CALM_S, READ_S = 15, 300


class Sample(NamedTuple):
    seconds: float
    pid: int
    rss_kib: int
    descriptors: int
    threads: int


class Gauge(threading.Thread):
    """Looks at the process each second, and says so each minute."""

    def __init__(self, lane: faults.Lane) -> None:
        super().__init__(daemon=True)
        self.lane, self.samples, self.fault, self.start_s = lane, [], "", time.monotonic()
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.wait(1):
            try:
                self.samples.append(self.look())
            except (FileNotFoundError, KeyError):  # between two processes
                continue
            if len(self.samples) % 60 == 0:
                s, v = self.samples[-1], self.lane.verifier
                print(f"{s.seconds / 60:5.1f} min  pid {s.pid:6}  {s.rss_kib / 1024:6.1f} MiB  {s.descriptors:3} descriptors  {s.threads:2} threads  "
                      f"fed {sum(v.feeder.counts()):,}  read {sum(map(len, v.reader.count)):,}  {self.fault}", flush=True)

    def look(self) -> Sample:
        proc = Path("/proc") / str(self.lane.workers["a"].process.pid)
        status = dict(line.split(":\t", 1) for line in (proc / "status").read_text().splitlines() if ":\t" in line)
        return Sample(time.monotonic() - self.start_s, int(status["Pid"]), int(status["VmRSS"].split()[0]),
                      len(list((proc / "fd").iterdir())), int(status["Threads"]))


def soak(b: faults.Bench, gauge: Gauge, seconds: float) -> list[str]:
    """Returns what took too long."""
    lane, slow = b.lanes[0], []
    rows = [r for r in faults.ROWS if not r.on_trio]
    while (now := time.monotonic() - gauge.start_s) < seconds:
        may_die = now < seconds / 3 - 60
        row = b.rng.choice([r for r in rows if may_die or r.do not in DEADLY])
        gauge.fault = row.title
        faults.wait(CALM_S)
        lane.verifier.disturb()
        undo = row.do(b)
        lane.verifier.mended()
        until(faults.SETTLE_S, lambda: lane.verifier.recovery() is not None)
        if lane.verifier.recovery() is None:
            slow.append(f"{row.title} at {now:.0f} s")
        gauge.fault += f": {lane.verifier.recovery() or -1:.1f} s"
        if undo:
            undo()
        if lane.workers["a"].process.poll() is not None:
            lane.start()
    lane.verifier.feeder.go.clear()
    return slow


def judge(account: real.Account, samples: list[Sample], from_s: float) -> None:
    late = [s for s in samples if s.seconds >= from_s]
    quarter = len(late) // 4
    first, last = late[:quarter], late[-quarter:]
    account.check(len({s.pid for s in late}) == 1, "one process got through the last two thirds", str({s.pid for s in late}))
    before, after = (statistics.median(s.rss_kib for s in part) / 1024 for part in (first, last))
    slope = statistics.linear_regression([s.seconds / 60 for s in late], [s.rss_kib / 1024 for s in late]).slope
    print(f"memory of the last two thirds: {before:.1f} MiB in their first quarter, {after:.1f} MiB in the last, by the minute {slope:+.3f} MiB")
    account.check(after < 1.05 * before, "memory does not grow", f"{before:.1f} to {after:.1f} MiB")
    for what in ("descriptors", "threads"):
        most = [max(getattr(s, what) for s in part) for part in (first, last)]
        account.check(most[1] <= most[0], f"{what} do not grow: {most[1]}", f"{most[0]} to {most[1]}")


def main() -> None:
    p = faults.arguments(__doc__)
    p.add_argument("--minutes", type=float, default=30)
    p.add_argument("--rate", type=int, default=20000)
    p.add_argument("--mode", choices=faults.MODES, default="exactly_once")
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()
    args.kscore = args.kscore.resolve()
    account = real.Account()
    with ExitStack() as stack:
        b = faults.Bench(stack, args, faults.QUICK._replace(rate=args.rate), "proxy")
        b.rng.seed(args.seed)
        b.add("soak", args.mode)
        b.begin()
        gauge = Gauge(b.lanes[0])
        gauge.start()
        slow = soak(b, gauge, 60 * args.minutes)
        verifier = b.lanes[0].verifier
        is_drained = verifier.finish(b.lanes[0].logs(), faults.SETTLE_S, READ_S)
        gauge.stop.set()
        lost, again, wrong = verifier.account()
        fed = sum(verifier.judged)
        print(f"fed {fed:,}, {fed / 60 / args.minutes:,.0f} a second; came again {verifier.repeated:,}")
        account.check(is_drained, "all is committed")
        account.check(not slow, "every fault is recovered from", "; ".join(slow))
        for what, found in (("lost", lost), ("duplicated", again), ("mismatched", wrong)):
            account.check(not found, f"none {what}", f"{len(found)}: {found[:3]}")
        judge(account, gauge.samples, 20 * args.minutes)
    account.end()


if __name__ == "__main__":
    main()
