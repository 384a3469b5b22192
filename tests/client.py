#!/usr/bin/env python3
"""A client that is not ours: Python's confluent-kafka feeds a topic with its Avro and JSON Schema serializers, through a
real registry, and reads scores and dead letters back with its deserializers.

    tests/run-broker tests/client.py [KSCORE [CASE]]     cases: avro json-schema

The events are real flights where $KSCORE_DATA (../shared/data) has them, else those of the example's golden file. The
client is installed once from PyPI into build/client-venv, by the versions and hashes of tests/client.txt; where that
cannot be, the suite is skipped, and says so.
"""
from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import real

ROOT = real.HERE.parent
PER_VERSION = 100

if __name__ == "__main__":
    real.in_pinned_venv("client", ROOT / "build/client-venv")

from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

Event = dict[str, Any]


# ------------------------------------------------------------------------------------------------ events


class Source(NamedTuple):
    """Events, and what each must get."""

    model: Path
    versions: list[Event]  # the writers' schemas in Avro, in the order of their registration
    events: list[list[Event]]  # by version
    scores: list[float]  # of each event, whatever its version: float32
    carry: str
    unscorable: Event  # of the last version


def as_float32(number: float) -> float:
    return struct.unpack("<f", struct.pack("<f", number))[0]


def flights(folder: Path) -> Source:
    sys.path.insert(0, str(folder))
    import events

    rows = list(events.read_rows(folder / "flights.csv.gz", date(2013, 11, 1), date(2013, 11, 1)))[:PER_VERSION]
    data = (folder / "expected/delay-2.score.f32").read_bytes()
    made = [[events.make_event(row, version) for row in rows] for version in ("v2", "v3")]
    return Source(folder / "models/delay-2", [events.schema("v2"), events.schema("v3")], made,
                  list(struct.unpack(f"<{len(rows)}f", data[: 4 * len(rows)])), "flight_id", {**made[1][0], "carrier": "ZZ", "carrier_code": "OTHER"})


def record(name: str, **fields: Any) -> Event:
    return {"type": "record", "name": name, "namespace": "pay", "fields": [{"name": n, "type": t} for n, t in fields.items()]}


def payments() -> Source:
    bundle = ROOT / "examples/payments/bundle"
    lines = [json.loads(line) for line in (bundle / "golden.jsonl").read_text().splitlines()]
    old = [{"days_since_last": None, **line["event"]} for line in lines]
    new = [{"amount_eur" if name == "amount" else name: value for name, value in e.items()} for e in old]
    inner = {"hour": "int", "card_present": "boolean", "abroad": "boolean", "days_since_last": ["null", "double"],
             "merchant": record("Merchant", id="string", category="string", country="string"),
             "velocity": record("Velocity", count_1h="int", count_24h="int", amount_24h="double")}
    outer = {"id": "string", "time": {"type": "long", "logicalType": "timestamp-millis"}, "card": "string"}
    return Source(bundle, [record("Payment", **outer, amount="double", **inner),
                           record("Payment", **inner, amount_eur="double", **outer)], [old, new],
                  [as_float32(line["score"]) for line in lines], "id",
                  {**new[0], "merchant": {**new[0]["merchant"], "category": "e-commerce"}})


def source() -> Source:
    folder = Path(os.environ.get("KSCORE_DATA", ROOT / "../shared/data")) / "flights"
    return flights(folder) if folder.is_dir() else payments()


# ----------------------------------------------------------------------------------------------- schemas


def take_out(schema: Event, branch: str) -> tuple[Event, Event]:
    """The schema with one record type by name only, and that record: what a subject of its own would have."""
    taken = {}

    def walk(node: Any) -> Any:
        if isinstance(node, list):
            return [walk(item) for item in node]
        if isinstance(node, dict) and node.get("type") == "record" and node["name"] == branch:
            taken.update({**node, "namespace": schema["namespace"]})
            return f"{schema['namespace']}.{branch}"
        return {k: walk(v) for k, v in node.items()} if isinstance(node, dict) else node

    return walk(schema), taken


def json_schema(avro: Any) -> Event:
    """What the Avro schema says, as a JSON schema; a type by its name becomes a reference."""
    plain = {"null": "null", "boolean": "boolean", "int": "integer", "long": "integer", "float": "number", "double": "number"}
    if isinstance(avro, str):
        return {"type": plain.get(avro, "string")} if "." not in avro else {"$ref": avro}
    if isinstance(avro, list):
        return {"oneOf": [json_schema(branch) for branch in avro]}
    if avro["type"] == "record":
        return {"title": avro["name"], "type": "object", "properties": {f["name"]: json_schema(f["type"]) for f in avro["fields"]}}
    if avro["type"] == "array":
        return {"type": "array", "items": json_schema(avro["items"])}
    if avro["type"] == "map":
        return {"type": "object", "additionalProperties": json_schema(avro["values"])}
    return {"type": "string"} if avro["type"] == "enum" else json_schema(avro["type"])


class Format(NamedTuple):
    kind: str  # the registry's
    options: Event  # kscore's
    text: Any  # from a schema in Avro
    serializer: Any
    deserializer: Any


FORMATS = {
    "avro": Format("AVRO", {"format": "avro"}, json.dumps,
                   lambda client, schema: AvroSerializer(client, schema), lambda client: AvroDeserializer(client)),
    "json-schema": Format("JSON", {"format": "json", "framing": "json-schema"}, lambda avro: json.dumps(json_schema(avro)),
                          lambda client, schema: JSONSerializer(schema, client),
                          lambda client: JSONDeserializer(None, schema_registry_client=client)),
}


# ------------------------------------------------------------------------------------------------ a topic


class Sent(NamedTuple):
    event: Event
    score: float | None  # None: a dead letter
    schema_id: str


class Feed:
    """A topic, its schemas, and the client that writes it; `sent` has what lies where."""

    def __init__(self, broker: real.Broker, client: SchemaRegistryClient, name: str, made: Source) -> None:
        self.client, self.topic, self.format, self.made = client, f"{name}-events", FORMATS[name], made
        self.context = SerializationContext(self.topic, MessageField.VALUE)
        self.producer = Producer({"bootstrap.servers": broker.bootstrap, "enable.idempotence": True})
        self.sent: dict[tuple[int, int], Sent] = {}
        self.null_count = 0
        broker.topics(self.topic)

    def schema(self, version: Event) -> Schema:
        return Schema(self.format.text(version), self.format.kind)

    def schema_with_reference(self, version: Event, branch: str) -> Schema:
        """The same, with one record type in a subject of its own."""
        outer, inner = take_out(version, branch)
        name, subject = f"{inner['namespace']}.{branch}", f"{self.topic}-{branch}"
        self.client.register_schema(subject, self.schema(inner))
        return Schema(self.format.text(outer), self.format.kind, [SchemaReference(name, subject, 1)])

    def produce(self, value: bytes | None, key: str, event: Event | None = None, score: float | None = None) -> None:
        def delivered(err: Any, message: Any) -> None:
            if err:
                raise SystemExit(f"{self.topic}: {err}")
            if value is not None:
                schema_id = str(int.from_bytes(value[1:5], "big"))
                self.sent[message.partition(), message.offset()] = Sent(event, score, schema_id)

        self.producer.produce(self.topic, value, key, headers={"traceparent": f"00-{key}", "other": "not chosen"}, on_delivery=delivered)

    def send(self, schema: Schema, events: list[Event], scores: list[float | None]) -> None:
        """The serializer registers its schema with the first event."""
        serialize = self.format.serializer(self.client, schema)
        for n, (event, score) in enumerate(zip(events, scores)):
            self.produce(serialize(event, self.context), f"k{n}", event, score)
        self.produce(None, "null")
        self.null_count += 1
        self.producer.flush()


class Run:
    """kscore on a feed, with scores in one format."""

    def __init__(self, kscore: Path, broker: real.Broker, url: str, feed: Feed, output: str) -> None:
        self.name = f"{feed.topic}-{output}"
        broker.topics(f"{self.name}-scores", f"{self.name}-dead")
        config = real.write_config(
            broker.folder / f"{self.name}.ini", broker,
            {"kscore": {"name": self.name},
             "consumer": {"topic": feed.topic, **feed.format.options},
             "schemas": {"registry.url": url},
             "model": {"path": feed.made.model},
             "producer": {"topic": f"{self.name}-scores", "format": output, "carry": feed.made.carry, "headers": "traceparent"},
             "dead_letters": {"topic": f"{self.name}-dead"}})
        self.log = broker.folder / f"{self.name}.log"
        with open(self.log, "wb") as err:
            self.process = subprocess.Popen([kscore, "run", "-c", config], stderr=err)

    def has_said(self, event: str) -> bool:
        if self.process.poll() is not None:
            raise SystemExit(f"{self.name} ended with {self.process.returncode}:\n{self.log.read_text()}")
        return f" event={event} " in self.log.read_text()

    def stop(self) -> tuple[int, dict[str, int]]:
        self.process.terminate()
        code = self.process.wait(60)
        words = (w.split("=", 1) for w in self.log.read_text().splitlines()[-1].split() if "=" in w)
        return code, {k: int(v) for k, v in words if v.isdigit()}


# ------------------------------------------------------------------------------------------------- judging


def bits(number: float) -> bytes:
    return struct.pack("<d", number)


def judge_scores(account: real.Account, feed: Feed, title: str, output: str, messages: list) -> None:
    read = AvroDeserializer(feed.client) if output == "avro" else lambda value, _: json.loads(value)
    wrong, seen = [], Counter()
    for m in messages:
        score = read(m.value(), SerializationContext(m.topic(), MessageField.VALUE))
        place = score["partition"], score["offset"]
        seen[place] += 1
        want = feed.sent.get(place)
        ok = (want and want.score is not None and bits(score["score"]) == bits(want.score)
              and score["carry"] == {feed.made.carry: want.event[feed.made.carry]}
              and score["schema_id"] == want.schema_id
              and dict(m.headers()) == {"traceparent": b"00-" + m.key()})
        wrong += [] if ok else [f"{place}: {score}, not {want}"]
    account.check(seen == Counter({p: 1 for p, s in feed.sent.items() if s.score is not None}), f"{title}: each once",
                  f"{len(seen)} places, {sum(seen.values())} scores")
    account.check(not wrong, f"{title}: {len(messages)} scores to the bit, with what they carry, header and schema id",
                  f"{len(wrong)}: {wrong[:2]}")


def judge_dead(account: real.Account, feed: Feed, title: str, messages: list) -> None:
    """The client still reads what could not be scored."""
    deserialize = feed.format.deserializer(feed.client)
    want = [s for s in feed.sent.values() if s.score is None]
    got = [deserialize(m.value(), feed.context) for m in messages]
    same = [all(g[name] == value or isinstance(g[name], datetime) for name, value in w.event.items()) for g, w in zip(got, want)]
    account.check(len(got) == len(want) and all(same), f"{title}: its dead letter is read by its deserializer", f"{len(got)} of them, {len(want)} expected")
    reasons = [dict(m.headers()).get("__connect.errors.exception.class.name") for m in messages]
    account.check(reasons == [b"unknown_category"] * len(want) and all(dict(m.headers())["traceparent"] == b"00-" + m.key() for m in messages),
                  f"{title}: the reason is named, key and headers are kept", str(reasons))


def run_case(kscore: Path, account: real.Account, broker: real.Broker, url: str, name: str) -> None:
    made = source()
    feed = Feed(broker, SchemaRegistryClient({"url": url}), name, made)
    feed.send(feed.schema(made.versions[0]), made.events[0], made.scores)
    runs = {output: Run(kscore, broker, url, feed, output) for output in ("json", "avro")}
    try:
        score_all(account, broker, feed, runs)
    finally:
        for run in runs.values():
            run.process.kill()


def score_all(account: real.Account, broker: real.Broker, feed: Feed, runs: dict[str, Run]) -> None:
    made, name = feed.made, feed.topic
    for run in runs.values():
        real.until(f"{run.name} is ready", 60, lambda: run.has_said("ready"))
    # While it runs: a new version, and one that refers to another subject.
    feed.send(feed.schema(made.versions[1]), made.events[1], made.scores)
    branch = "Plane" if "Plane" in json.dumps(made.versions[1]) else "Merchant"
    by_reference = feed.schema_with_reference(made.versions[1], branch)
    feed.send(by_reference, [*made.events[1], made.unscorable], [*made.scores, None])
    account.check(len(feed.client.get_versions(f"{feed.topic}-value")) == 3, f"{name}: three versions were registered")
    for output, run in runs.items():
        title = f"{name} to {output}"
        want = len(feed.sent)
        real.until(f"{want} outcomes of {title}", 60,
                   lambda: not run.has_said("stopped") and broker.count(f"{run.name}-scores") + broker.count(f"{run.name}-dead") >= want)
        code, counts = run.stop()
        account.check(code == 0 and [counts.get(k) for k in ("scored", "dead", "skipped")] == [want - 1, 1, feed.null_count],
                      f"{title}: {want - 1} scored, 1 dead, {feed.null_count} skipped", f"{code}, {counts}")
        judge_scores(account, feed, title, output, broker.read(f"{run.name}-scores"))
        judge_dead(account, feed, title, broker.read(f"{run.name}-dead"))


class Shared(real.Broker):
    """The one that tests/run-broker started."""

    def __enter__(self) -> Shared:
        self.folder = Path(tempfile.mkdtemp(prefix="kscore-client-"))
        self.bootstrap = os.environ["KSCORE_BOOTSTRAP"]
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "watcher"):
            self.watcher.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def main() -> None:
    if "KSCORE_BROKER" not in os.environ:
        raise SystemExit("start it by tests/run-broker")
    kscore = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release/kscore").resolve()
    cases = [name for name in FORMATS if name in sys.argv[2:]] or [name for name in FORMATS if not any(sys.argv[2:])]
    if not cases:
        raise SystemExit(f"no case {sys.argv[2]}; there are: {' '.join(FORMATS)}")
    account = real.Account()
    os.environ["no_proxy"] = "127.0.0.1"
    url = subprocess.run([real.HERE / "registry", "start", Path(os.environ["KSCORE_BROKER"]) / "registry", "0"],
                         check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    with Shared() as broker:
        for name in cases:
            run_case(kscore, account, broker, url, name)
    account.end_as_check()


if __name__ == "__main__":
    main()
