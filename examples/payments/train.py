#!/usr/bin/env python3
"""Trains the demo's fraud model and writes its bundle: examples/payments/train.py

The payments come from the demo's own generator (`kscore demo --events N`), so what the model learned is what it meets.
Needs xgboost 3.2.0 and numpy; the same bytes come out on every run with one thread.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
from pathlib import Path

import numpy as np
import xgboost as xgb

HERE = Path(__file__).resolve().parent
FEATURES = {  # name: (path, type, policy)
    "amount": ("amount | amount_eur", "number", "required"),
    "hour": ("hour", "number", "required"),
    "category": ("merchant.category", "category category.csv", "required, unknown as error"),
    "card_present": ("card_present", "boolean", "required"),
    "abroad": ("abroad", "boolean", "required"),
    "count_1h": ("velocity.count_1h", "number", "required"),
    "count_24h": ("velocity.count_24h", "number", "required"),
    "amount_24h": ("velocity.amount_24h", "number", "required"),
    "days_since_last": ("days_since_last", "number", "optional"),
}
THRESHOLDS = "0.3 review, 0.8 block"


def payments(kscore: Path, count: int, seed: int) -> list[dict]:
    lines = subprocess.run([kscore, "demo", "--events", str(count), "--seed", str(seed)], check=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in lines.stdout.splitlines()]


def row(event: dict, codes: dict[str, int]) -> list[float]:
    velocity = event["velocity"]
    return [
        event["amount"], event["hour"], codes[event["merchant"]["category"]], event["card_present"], event["abroad"],
        velocity["count_1h"], velocity["count_24h"], velocity["amount_24h"], event["days_since_last"],
    ]  # fmt: skip


def matrix(events: list[dict], codes: dict[str, int]) -> xgb.DMatrix:
    types = ["c" if kind.startswith("category") else "float" for _, kind, _ in FEATURES.values()]
    return xgb.DMatrix(
        np.array([row(e, codes) for e in events], np.float32),
        label=[e["fraud"] for e in events],
        feature_names=list(FEATURES),
        feature_types=types,
        enable_categorical=True,
        nthread=1,
    )


def write_golden(path: Path, booster: xgb.Booster, events: list[dict], codes: dict[str, int]) -> None:
    """Events, their rows, and what the library says: kscore must agree before it takes traffic."""
    data = matrix(events, codes)
    margins, scores = booster.predict(data, output_margin=True), booster.predict(data)
    with open(path, "w", encoding="utf-8") as file:
        for event, margin, score in zip(events, margins, scores, strict=True):
            values = [float(f"{np.float32(v):.9g}") for v in row(event, codes)]
            event = {k: v for k, v in event.items() if k != "fraud"}
            golden = {"margin": float(f"{margin:.9g}"), "score": float(f"{score:.9g}"), "row": values, "event": event}
            file.write(json.dumps(golden, separators=(",", ":")) + "\n")


def write_ini(folder: Path) -> None:
    digest = hashlib.sha256((folder / "model.ubj").read_bytes()).hexdigest()
    width = max(map(len, FEATURES))
    features = "\n".join(f"{n:<{width}} = {path} : {kind}, {policy}" for n, (path, kind, policy) in FEATURES.items())
    (folder / "model.ini").write_text(
        f"""[model]
name    = fraud
version = 1
format  = xgboost
file    = model.ubj
sha256  = {digest}

[output]
kind       = probability
name       = fraud
thresholds = {THRESHOLDS}
below      = pass

[features]
{features}
""",
        encoding="utf-8",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kscore", type=Path, default=HERE.parents[1] / "build/release/kscore")
    parser.add_argument("--out", type=Path, default=HERE / "bundle")
    arguments = parser.parse_args()
    arguments.out.mkdir(exist_ok=True)

    events = payments(arguments.kscore, 120_000, seed=101)
    codes = {name: code for code, name in enumerate(sorted({e["merchant"]["category"] for e in events}))}
    parameters = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.15, "nthread": 1, "seed": 1, "max_cat_to_onehot": 1}
    booster = xgb.train(parameters, matrix(events, codes), num_boost_round=100)
    booster.save_model(arguments.out / "model.ubj")
    with open(arguments.out / "category.csv", "w", encoding="utf-8", newline="\n") as file:
        file.write("value,code\n" + "".join(f"{name},{code}\n" for name, code in codes.items()))
    test = payments(arguments.kscore, 40_000, seed=102)
    write_golden(arguments.out / "golden.jsonl", booster, test[:32], codes)
    write_ini(arguments.out)

    truth, scores = np.array([e["fraud"] for e in test]), booster.predict(matrix(test, codes))
    for threshold in (0.3, 0.8):
        hit = scores >= threshold
        print(f"score >= {threshold}: {hit.mean():.2%} of payments, precision {truth[hit].mean():.2f}, recall {hit[truth].mean():.2f}")
    print(f"{arguments.out}: {sum(f.stat().st_size for f in arguments.out.iterdir()):,} bytes, {truth.mean():.2%} fraud")


if __name__ == "__main__":
    main()
