#!/usr/bin/env python3
"""Real flights through a real Kafka: every margin to the bit, every score, every offset one outcome, every broken event
dead-lettered with the stage and reason that its writer names, and after a fix one redrive that makes good what can be."""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import real

if __name__ == "__main__":
    real.in_venv()

import numpy as np


def ulps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    def line(x: np.ndarray) -> np.ndarray:
        bits = x.astype(np.float32).view(np.int32).astype(np.int64)
        return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)

    return np.abs(line(a) - line(b))


class Flights:
    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.folder = args.data / "flights"
        sys.path.insert(0, str(self.folder))
        import bundle
        import events

        self.bundle, self.events = bundle, events
        self.rows = list(events.read_rows(self.folder / "flights.csv.gz", args.first, args.last))
        self.is_default_week = (args.first, args.last) == (date(2013, 11, 1), date(2013, 11, 7))

    def expected(self, model: str, versions: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """Margin and score of each event: what the library that wrote the model gives for bundle.py's rows; for v2 and v3
        of the first week of November also the files beside the data."""
        import xgboost

        b = self.bundle.Bundle(self.folder / "models" / model)
        rows = np.array([b.row(self.events.make_event(r, v)) for r, v in zip(self.rows, versions)], np.float32)
        booster = xgboost.Booster(model_file=str(b.file))
        margin = booster.inplace_predict(rows, predict_type="margin", missing=np.nan).astype(np.float32)
        score = booster.inplace_predict(rows, missing=np.nan).astype(np.float32)
        if self.is_default_week:
            newer = np.array([v != "v1" for v in versions])
            for have, kind in ((margin, "margin"), (score, "score")):
                stored = np.fromfile(self.folder / "expected" / f"{model}.{kind}.f32", "<f4")
                assert (have[newer].view(np.uint32) == stored[newer].view(np.uint32)).all(), f"{model} {kind}"
        return margin, score

    def write(self, *options: str) -> None:
        subprocess.run(
            [sys.executable, self.folder / "events.py", "--from", str(self.args.first), "--to", str(self.args.last),
             "--seed", str(self.args.seed), *options],
            check=True,
        )


def versions_of(count: int, schema: str) -> list[str]:
    return [f"v{n % 3 + 1}" for n in range(count)] if schema == "mixed" else [schema] * count


def margins_to_the_bit(flights: Flights, account: real.Account, folder: Path) -> None:
    for model in ("delay-1", "delay-2"):
        for schema in ("v1", "v2", "v3", "mixed"):
            file = folder / f"{schema}.jsonl"
            if not file.exists():
                flights.write("--schema", schema, "--out", str(file))
            margin, score = flights.expected(model, versions_of(len(flights.rows), schema))
            for what, want in (("margin", margin), ("prediction", score)):
                out = subprocess.run(
                    [flights.args.kscore, "score", "--model", flights.folder / "models" / model, "--output", what,
                     "--output-format", "f32le", file],
                    check=True, stdout=subprocess.PIPE,
                ).stdout
                got = np.frombuffer(out, "<f4")
                same = len(got) == len(want) and (got.view(np.uint32) == want.view(np.uint32)).all()
                near = len(got) == len(want) and int(ulps(got, want).max()) <= 1
                account.check(same if what == "margin" else near, f"{model} {schema}: {len(want)} {what}s"
                              + (" equal by bits" if same else " within 1 ulp"), f"{len(got)} values")


def containers_to_the_bit(flights: Flights, account: real.Account, folder: Path) -> None:
    """Avro container files as fastavro writes them."""
    import fastavro

    for schema, codec in (("v1", "null"), ("v2", "deflate"), ("v3", "deflate"), ("v3", "null")):
        file = folder / f"{schema}-{codec}.avro"
        with open(file, "wb") as out:
            fastavro.writer(out, fastavro.parse_schema(flights.events.schema(schema)),
                            (flights.events.make_event(r, schema) for r in flights.rows), codec=codec)
        want = flights.expected("delay-2", versions_of(len(flights.rows), schema))[0].tobytes()
        got = subprocess.run(
            [flights.args.kscore, "score", "--model", flights.folder / "models/delay-2", "--output", "margin",
             "--input-format", "avro", "--output-format", "f32le", file],
            check=True, stdout=subprocess.PIPE,
        ).stdout
        account.check(got == want, f"container, {schema}, {codec}: {len(want) // 4} margins equal by bits", f"{len(got)} bytes")


def doubles_to_the_bit(flights: Flights, account: real.Account, folder: Path) -> None:
    """The bundle of LightGBM, against what its library gave for the first week of November."""
    stored = flights.folder / "expected" / "delay-lgbm"
    if not flights.is_default_week:
        return
    for schema in ("v2", "v3"):
        for what, kind in (("margin", "margin.f64"), ("prediction", "score.f32")):
            size = kind[-2:]
            out = subprocess.run(
                [flights.args.kscore, "score", "--model", flights.folder / "models/delay-lgbm", "--output", what,
                 "--output-format", f"f{size}le", folder / f"{schema}.jsonl"],
                check=True, stdout=subprocess.PIPE,
            ).stdout
            want = Path(f"{stored}.{kind}").read_bytes()
            account.check(out == want, f"delay-lgbm {schema}: {len(want) * 8 // int(size)} {what}s equal by bits", f"{len(out)} bytes")


def give_schemas(flights: Flights, broker: real.Broker, name: str, versions: tuple[int, ...]) -> Path:
    schemas = broker.folder / f"{name}-schemas"
    schemas.mkdir(exist_ok=True)
    for i in versions:
        (schemas / f"{i}.avsc").write_bytes((flights.folder / "schemas" / f"flight-v{i}.avsc").read_bytes())
    return schemas


def run_kscore(flights: Flights, broker: real.Broker, name: str, model: str, avro: bool, truths: list[dict],
               versions: tuple[int, ...] = (1, 2, 3)):
    """Scores topic NAME to its end; returns exit code and the last log line."""
    outcomes = sum(t["outcome"] != "skipped" for t in truths)
    config = real.write_config(
        broker.folder / f"{name}.ini", broker,
        {"kscore": {"name": f"kscore-{name}"},
         "consumer": {"topic": name, "format": "avro" if avro else "json"},
         "schemas": {"folder": give_schemas(flights, broker, name, versions)},
         "model": {"path": flights.folder / "models" / model},
         "producer": {"topic": f"{name}-scores"},
         "dead_letters": {"topic": f"{name}-dead"}},
    )
    log = broker.folder / f"{name}.log"
    with open(log, "wb") as err:
        process = subprocess.Popen([flights.args.kscore, "run", "-c", config], stderr=err)
    try:
        real.until(f"{name}: {outcomes} outcomes (see {log})", 120,
                   lambda: broker.count(f"{name}-scores") + broker.count(f"{name}-dead") >= outcomes
                   or process.poll() is not None)
    finally:
        process.terminate()
    code = process.wait(60)
    lines = log.read_text().splitlines()
    return code, lines[-1] if lines else ""


def stopped_counts(line: str) -> dict[str, int]:
    return {k: int(v) for k, v in (w.split("=", 1) for w in line.split() if "=" in w) if v.isdigit()}


def publish(flights: Flights, broker: real.Broker, name: str, avro: bool, hostile: float) -> list[dict]:
    """Makes topic NAME, for scores and dead letters too, and fills it; returns what is true of each event."""
    broker.topics(name, f"{name}-scores", f"{name}-dead")
    truth_file = broker.folder / f"{name}.truth"
    # in JSON the broken ones need one schema version: `carrier` and `carrier_code` differ between them
    schema = "mixed" if avro or not hostile else "v2"
    options = ["--format", "avro"] if avro else []
    flights.write("--schema", schema, "--brokers", broker.bootstrap, "--topic", name, "--truth", str(truth_file),
                  *options, *(["--hostile", str(hostile)] if hostile else []))
    return [json.loads(line) for line in truth_file.read_text().splitlines()]


def places(truths: list[dict], outcome: str) -> set[tuple[int, int]]:
    return {(t["partition"], t["offset"]) for t in truths if t["outcome"] == outcome}


def origin(headers: dict[str, bytes]) -> tuple[int, int]:
    return int(headers["__connect.errors.partition"]), int(headers["__connect.errors.offset"])


def said(headers: dict[str, bytes]) -> tuple[str, str]:
    return headers["__connect.errors.stage"].decode(), headers["__connect.errors.exception.class.name"].decode()


def through_kafka(flights: Flights, account: real.Account, broker: real.Broker, model: str, avro: bool, hostile: float) -> None:
    name = f"{'avro' if avro else 'json'}-{model}{'-hostile' if hostile else ''}"
    print(name, flush=True)
    truths = publish(flights, broker, name, avro, hostile)
    events = {(m.partition(), m.offset()): m for m in broker.read(name)}
    by_place = {(t["partition"], t["offset"]): t for t in truths}
    code, last = run_kscore(flights, broker, name, model, avro, truths)
    counts = stopped_counts(last)
    want = Counter(t["outcome"] for t in truths)
    account.check(code == 0, "SIGTERM ends with exit code 0", f"{code}: {last}")
    account.check(
        (counts.get("scored"), counts.get("dead"), counts.get("skipped")) == (want["scored"], want["dead"], want["skipped"])
        and counts.get("consumed") == len(truths) + counts.get("returned", -1),
        f"event=stopped accounts for {len(truths)} records: {dict(want)}", last)

    scores = broker.read(f"{name}-scores")
    dead = broker.read(f"{name}-dead")
    values = [json.loads(m.value()) for m in scores]
    scored_at = Counter((v["partition"], v["offset"]) for v in values)
    headers = [dict(m.headers() or []) for m in dead]
    dead_at = Counter(map(origin, headers))
    outcomes = Counter()
    outcomes.update(scored_at)
    outcomes.update(dead_at)
    outcomes.update(places(truths, "skipped"))
    account.check(set(outcomes) == set(events) and set(outcomes.values()) == {1}, "every offset has exactly one outcome",
                  f"{len(set(events) - set(outcomes))} without, {sum(c > 1 for c in outcomes.values())} with several")
    account.check(set(scored_at) == places(truths, "scored"),
                  "scored are those that the truth says")

    if not hostile:
        versions = [t["schema"] for t in truths]
        _, want_scores = flights.expected(model, versions)
        index = {(t["partition"], t["offset"]): t["n"] for t in truths}
        got = np.array([v["score"] for v in values], np.float64)
        expected = np.array([want_scores[index[v["partition"], v["offset"]]] for v in values], np.float32)
        account.check(int(ulps(got.astype(np.float32), expected).max()) <= 1 and (got == got.astype(np.float32)).all(),
                      f"{len(got)} published scores within 1 ulp")
        decide = lambda s: "late" if s >= 0.5 else "watch" if s >= 0.25 else "on_time"
        account.check(all(v["decision"] == decide(v["score"]) for v in values), "decisions follow the thresholds")
    account.check(
        all(v["topic"] == name and v["id"] == f"{name}-{v['partition']}-{v['offset']}-{v['digest'][:12]}"
            and v["mode"] == "live" and v["schema_id"] == (str(int.from_bytes(events[v["partition"], v["offset"]].value()[1:5], "big")) if avro else None)
            for v in values), "scores name id, topic, schema, mode")
    account.check(
        all(m.key() == events[v["partition"], v["offset"]].key()
            and m.timestamp()[1] == events[v["partition"], v["offset"]].timestamp()[1] == v["event_time"]
            for m, v in zip(scores, values)), "scores have the event's key and time")
    if hostile:
        wrong = []
        for m, h in zip(dead, headers):
            place = origin(h)
            t, source = by_place[place], events[place]
            if said(h) != (t["stage"], t["reason"]) or m.value() != source.value() or m.key() != source.key() or m.partition() != place[0]:
                wrong.append(f"{t['kind']} at {place}: {said(h)}, not {(t['stage'], t['reason'])}; "
                             f"{h['__connect.errors.exception.message'].decode()}")
        kinds = Counter(t["kind"] for t in truths if t["outcome"] == "dead")
        account.check(not wrong and len(dead) == want["dead"],
                      f"{len(dead)} dead letters of {len(kinds)} kinds: stage, reason, bytes, key, partition", "; ".join(wrong[:5]))
    else:
        account.check(not dead, "no dead letters", str(headers[:1]))


def compare(flights: Flights, broker: real.Broker, name: str, *options: str) -> tuple[int, dict]:
    """kscore replay of all that was scored under NAME."""
    done = subprocess.run(
        [flights.args.kscore, "replay", "-c", broker.folder / f"{name}.ini", "--from", "earliest", "--json", "-s", "kscore.log_level=error",
         *options], stdout=subprocess.PIPE)
    return done.returncode, json.loads(done.stdout)


def compared(flights: Flights, account: real.Account, broker: real.Broker, name: str) -> None:
    """A week that delay-1 scored live, against itself and against delay-2, whose scores the library gives."""
    print(f"{name}, compared", flush=True)
    truths = [json.loads(line) for line in (broker.folder / f"{name}.truth").read_text().splitlines()]
    code, same = compare(flights, broker, name, "--compare")
    account.check(code == 0 and same["all"]["counts"]["equal"] == len(truths) == same["all"]["records"],
                  f"with the bundle that scored them {len(truths)} records are equal", f"{code}: {same['all']}")
    scores = {m: flights.expected(m, [t["schema"] for t in truths])[1].astype(np.float64) for m in ("delay-1", "delay-2")}
    there, here = (scores[m][[t["n"] for t in truths]] for m in ("delay-1", "delay-2"))
    decide = lambda x: np.select([x >= 0.5, x >= 0.25], ["late", "watch"], "on_time")
    by_n = np.sort(here - there)
    ranks = lambda q: by_n[max(int(np.ceil(q * len(by_n))), 1) - 1]
    other = str(flights.folder / "models/delay-2")
    for what, options in (("published", ["--compare", "--model", other]),
                          ("another bundle", ["--model", other, "--against", str(flights.folder / "models/delay-1")])):
        code, r = compare(flights, broker, name, *options)
        counts, d = r["all"]["counts"], r["difference"]
        account.check(code == 65 and counts["changed"] == int((here != there).sum()) and counts["changed"] + counts["equal"] == len(truths),
                      f"delay-2 against {what}: {counts['changed']} changed, as the library's scores are", f"{code}: {counts}")
        account.check(
            abs(d["mean"] - float((here - there).mean())) < 1e-6 and abs(d["mean_size"] - float(abs(here - there).mean())) < 1e-6
            and all(abs(v - ranks(float(q))) < 1e-6 for q, v in d["quantiles"].items()), "mean and quantiles are theirs", str(d))
        flips = Counter(zip(decide(there).tolist(), decide(here).tolist()))
        account.check({(f["from"], f["to"]): f["count"] for f in r["decisions"]} == dict(flips), "so are the flips, by direction",
                      f"{r['decisions']}, not {flips}")
        at = {(t["partition"], t["offset"]): i for i, t in enumerate(truths)}
        largest = [abs(w["here"] - w["there"]) for w in r["largest"]]
        account.check(
            all(abs(here[at[w["partition"], w["offset"]]] - w["here"]) < 1e-6 and abs(there[at[w["partition"], w["offset"]]] - w["there"]) < 1e-6
                for w in r["largest"]) and np.allclose(largest, np.sort(abs(here - there))[::-1][:10], atol=1e-6, rtol=0),
            "and the ten largest, with their places", str(r["largest"]))
        differs = {p: min(t["offset"] for i, t in enumerate(truths) if t["partition"] == p and here[i] != there[i])
                   for p in {t["partition"] for t in truths}}
        account.check({p["partition"]: p["parts_at"] for p in r["partitions"]} == differs, "and where they part first",
                      f"{r['partitions']}, not {differs}")


def redrive(flights: Flights, broker: real.Broker, name: str) -> str:
    done = subprocess.run([flights.args.kscore, "redrive", "-c", broker.folder / f"{name}.ini", "--go"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return f"exit {done.returncode}\n{done.stdout}"


def after_a_schema_fix(flights: Flights, account: real.Account, broker: real.Broker, hostile: float) -> None:
    """The third version's schema is missing at first; then it is there, and one redrive makes good what can be made good."""
    name = "redriven"
    print(name, flush=True)
    truths = publish(flights, broker, name, True, hostile)
    good, broken = places(truths, "scored"), places(truths, "dead")
    code, last = run_kscore(flights, broker, name, "delay-2", True, truths, versions=(1, 2))
    scored = {(v["partition"], v["offset"]) for v in (json.loads(m.value()) for m in broker.read(f"{name}-scores"))}
    fixable = good - scored
    letters = [dict(m.headers()) for m in broker.read(f"{name}-dead")]
    account.check(code == 0 and scored < good and {origin(h) for h in letters} == fixable | broken,
                  f"without a schema {len(fixable)} good events and {len(broken)} broken ones are dead letters", last)
    account.check({said(h) for h in letters if origin(h) in fixable} == {("schema", "unknown_schema_id")}, "the good ones for its sake")

    give_schemas(flights, broker, name, (3,))
    told = redrive(flights, broker, name)
    account.check(told.startswith("exit 0\n") and f"\n{len(fixable)} scored, {len(broken)} dead letters again\n" in told,
                  f"one redrive scores {len(fixable)}, and {len(broken)} are dead letters again", told)
    values = [json.loads(m.value()) for m in broker.read(f"{name}-scores")]
    count = Counter((v["partition"], v["offset"]) for v in values)
    account.check(set(count) == good and set(count.values()) == {1}, f"each of {len(good)} good events has exactly one score, and no other has one",
                  f"{len(good - set(count))} without, {len(set(count) - good)} of others, {sum(c > 1 for c in count.values())} with several")
    n = {(t["partition"], t["offset"]): t["n"] for t in truths if t["kind"] == flights.events.GOOD.name}
    want = flights.expected("delay-2", [t["schema"] for t in truths])[1]
    values = [v for v in values if (v["partition"], v["offset"]) in n]  # without the odd ones that are scored all the same
    got = np.array([v["score"] for v in values])
    account.check(int(ulps(got, want[[n[v["partition"], v["offset"]] for v in values]]).max()) <= 1
                  and all(v["topic"] == name and v["mode"] == "live" for v in values), f"{len(got)} scores within 1 ulp of those expected")
    truth = {(t["partition"], t["offset"]): (t["stage"], t["reason"]) for t in truths if t["outcome"] == "dead"}
    again = [h for h in (dict(m.headers()) for m in broker.read(f"{name}-dead")) if h["kscore.attempt"] == b"2"]
    account.check(Counter(map(origin, again)) == Counter(broken) and all(said(h) == truth[origin(h)] for h in again),
                  f"each of {len(broken)} broken ones is one letter more, for its own reason", f"{len(again)}")

    told = redrive(flights, broker, name)
    account.check(f"\n0 scored, {len(broken)} dead letters again\n" in told and broker.count(f"{name}-scores") == len(good),
                  "a second redrive adds no score", told)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--data", type=Path, default=Path(os.environ.get("KSCORE_DATA", "../shared/data")))
    p.add_argument("--kscore", type=Path, default=Path("build/release/kscore"))
    p.add_argument("--from", dest="first", type=date.fromisoformat, default=date(2013, 11, 1))
    p.add_argument("--to", dest="last", type=date.fromisoformat, default=date(2013, 11, 7))
    p.add_argument("--hostile", type=float, default=0.03)
    p.add_argument("--seed", type=int, default=1)
    args = p.parse_args()
    account = real.Account()
    flights = Flights(args)
    with real.Broker() as broker:
        margins_to_the_bit(flights, account, broker.folder)
        doubles_to_the_bit(flights, account, broker.folder)
        containers_to_the_bit(flights, account, broker.folder)
        for avro in (False, True):
            for model in ("delay-1", "delay-2"):
                through_kafka(flights, account, broker, model, avro, 0)
            through_kafka(flights, account, broker, "delay-2", avro, args.hostile)
            compared(flights, account, broker, f"{'avro' if avro else 'json'}-delay-1")
        after_a_schema_fix(flights, account, broker, args.hostile)
    account.end()


if __name__ == "__main__":
    main()
