#!/usr/bin/env python3
"""1,000,000 real flights, 5 % of them broken in every way there is, their schemas in a real registry: each record has one
outcome, memory is flat although some 3,850 ids are in no registry, and it is done within 10 minutes."""
from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import real

if __name__ == "__main__":
    real.in_venv()

TOPIC = "million"
QUARTERS = 4
MOST_GROWTH = 1.10  # of the least VmRSS of a quarter, when the clients' queues are almost empty: from the second to the last
MOST_MIB = 256  # memory_mib
MOST_SECONDS = 600


class Registry:
    """A real one, started by tests/registry, with the three schemas of flights as ids 1, 2 and 3."""

    def __init__(self, broker: real.Broker) -> None:
        self.folder = broker.folder / "registry"

    def __enter__(self) -> Registry:
        self.url = subprocess.run(
            [real.HERE / "registry", "start", self.folder, "0"], check=True, stdout=subprocess.PIPE, text=True
        ).stdout.strip()
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run([real.HERE / "registry", "stop", self.folder], check=False)

    def register(self, schemas: Path) -> None:
        import json
        import urllib.request

        for version in (1, 2, 3):
            body = json.dumps({"schema": (schemas / f"flight-v{version}.avsc").read_text()}).encode()
            ask = urllib.request.Request(
                f"{self.url}/subjects/{TOPIC}-value/versions", body, {"Content-Type": "application/vnd.schemaregistry.v1+json"}
            )
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(ask) as answer:
                got = json.load(answer)["id"]
            if got != version:
                raise SystemExit(f"the registry gave id {got}, not {version}")


class Staged:
    """What lies in the topic: how many of each outcome, and the ids that no registry has."""

    def __init__(self) -> None:
        self.outcomes, self.unknown = Counter(), set()

    def noting(self, records: Iterator) -> Iterator:
        for r in records:
            self.outcomes[r.truth["outcome"]] += 1
            if r.truth["kind"] == "unknown_schema_id":
                self.unknown.add(r.value[1:5])
            yield r

    def fill(self, args: argparse.Namespace, broker: real.Broker) -> None:
        sys.path.insert(0, str(args.data / "flights"))
        import events

        seed = args.seed
        while (left := args.records - self.outcomes.total()) > 0:  # a year of flights is a third of a million
            options = ["--format", "avro", "--schema", "mixed", "--hostile", "0.05", "--truth", "-", "--seed", str(seed),
                       "--limit", str(left), "--brokers", broker.bootstrap, "--topic", TOPIC, "--set", "message.max.bytes=1000000"]
            parsed = events.parse(options)
            events.produce(self.noting(events.make_records(parsed)), parsed)
            seed += 1
            print(f"  {self.outcomes.total():,} records staged", flush=True)


def rss_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"process {pid} is gone")


def watch(process: subprocess.Popen, broker: real.Broker, total: int) -> tuple[list[list[float]], float]:
    """VmRSS, as often as can be, by quarters of the outcomes; and the seconds it took."""
    start, seen = time.monotonic(), [[] for _ in range(QUARTERS)]

    def is_done() -> bool:
        outcomes = broker.count(f"{TOPIC}-scores") + broker.count(f"{TOPIC}-dead")
        quarter = min(outcomes * QUARTERS // total, QUARTERS - 1)
        if not seen[quarter]:
            print(f"  {quarter * 100 // QUARTERS:3} %  {time.monotonic() - start:.1f} s", flush=True)
        if process.poll() is None:
            seen[quarter].append(rss_mib(process.pid))
        return outcomes >= total or process.poll() is not None

    real.until(f"{total:,} outcomes", 2 * MOST_SECONDS, is_done)
    return seen, time.monotonic() - start


def score(args: argparse.Namespace, broker: real.Broker, url: str, staged: Staged, account: real.Account) -> None:
    config = real.write_config(
        broker.folder / "million.ini", broker,
        {"kscore": {"name": TOPIC}, "consumer": {"topic": TOPIC, "format": "avro"}, "schemas": {"registry.url": url},
         "model": {"path": args.data / "flights/models/delay-2"}, "producer": {"topic": f"{TOPIC}-scores"},
         "dead_letters": {"topic": f"{TOPIC}-dead"}})
    log = broker.folder / "log"
    want = staged.outcomes
    with open(log, "wb") as err:
        process = subprocess.Popen([args.kscore, "run", "-c", config], stderr=err)
    try:
        seen, seconds = watch(process, broker, want["scored"] + want["dead"])
    finally:
        process.terminate()
    code = process.wait(60)
    last = log.read_text().splitlines()[-1]
    counts = {k: int(v) for k, v in (w.split("=", 1) for w in last.split() if "=" in w) if v.isdigit()}
    account.check(code == 0, "SIGTERM ends with exit code 0", f"{code}: {last}")
    account.check({k: counts.get(k) for k in want} == dict(want), f"each has the outcome that its writer names: {dict(want)}", last)
    account.check(
        counts.get("consumed") == sum(counts.get(k, 0) for k in ("scored", "dead", "skipped", "returned", "in_flight")),
        "consumed = scored + dead + skipped + returned + in flight", last)
    ends = broker.count(f"{TOPIC}-scores"), broker.count(f"{TOPIC}-dead")
    account.check(ends == (want["scored"], want["dead"]), f"{ends[0]:,} scores, {ends[1]:,} dead letters: none twice")
    account.check(broker.committed(TOPIC, TOPIC) == broker.ends(TOPIC), "everything is committed")
    least, most = ([pick(quarter, default=0) for quarter in seen] for pick in (min, max))
    account.check(0 < least[-1] <= least[1] * MOST_GROWTH and max(most) <= MOST_MIB,
                  f"VmRSS: at most {MOST_MIB} MiB, and its least grows by less than {MOST_GROWTH - 1:.0%} from the second quarter to the last",
                  f"{least}, {most}")
    account.check(seconds <= MOST_SECONDS, f"done within {MOST_SECONDS} s", f"{seconds:.0f} s")
    series = " ".join(f"{low:.0f}-{high:.0f}" for low, high in zip(least, most))
    total = " + ".join(f"{counts.get(k, 0):,} {k}" for k in ("scored", "dead", "skipped", "returned", "in_flight"))
    print(f"{len(staged.unknown):,} unknown ids, {seconds:.1f} s, VmRSS {series} MiB by quarters; {counts.get('consumed', 0):,} consumed = {total}")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, default=Path(os.environ.get("KSCORE_DATA", "../shared/data")))
    p.add_argument("--kscore", type=Path, default=Path("build/release/kscore"))
    p.add_argument("--records", type=int, default=1000000)
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()
    account, staged = real.Account(), Staged()
    with real.Broker() as broker, Registry(broker) as registry:
        broker.topics(TOPIC, f"{TOPIC}-scores", f"{TOPIC}-dead")
        registry.register(args.data / "flights/schemas")
        staged.fill(args, broker)
        score(args, broker, registry.url, staged, account)
    account.end()


if __name__ == "__main__":
    main()
