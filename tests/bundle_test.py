#!/usr/bin/env python3
"""tools/kscore-bundle with the real libraries: models are trained, made into bundles, and scored by kscore.

    tests/bundle_test.py [KSCORE [CASE]]     a case is a function test_CASE

Needs the packages of tests/bundle.txt, installed once by hash into the cache; where that cannot be, the suite is skipped,
and says so. What a bundle must score is what the model that was passed in gives for the frame: by bits, and for what is
not XGBoost or LightGBM within the tolerance of its format.
"""
from __future__ import annotations

import configparser
import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import real

if __name__ == "__main__":
    real.in_pinned_venv("bundle", real.CACHE / "bundle-venv")
os.environ["OMP_NUM_THREADS"] = "1"  # small models: more threads only wait for each other

import lightgbm as lgb
import numpy as np
import pandas as pd
import xgboost as xgb
from sklearn.ensemble import (
    ExtraTreesRegressor, GradientBoostingClassifier, GradientBoostingRegressor, HistGradientBoostingClassifier,
    HistGradientBoostingRegressor, IsolationForest, RandomForestClassifier, RandomForestRegressor,
)  # fmt: skip
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge, RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

ROOT = real.HERE.parent
sys.path.insert(0, str(ROOT / "tools"))
from kscore_bundle import Refused, make_bundle

DATA = Path(os.environ.get("KSCORE_DATA", ROOT / "../shared/data")) / "flights"
# Which formats this kscore must read. The others' bundles are held against their libraries only, and that is said.
READ = {"xgboost": True, "linear": True, "lightgbm": True, "onnx": True}

ROWS = 1500
random = np.random.default_rng(7)
FRAME = pd.DataFrame({
    "amount": random.lognormal(3, 1, ROWS).astype(np.float32).astype(float),
    "hour": random.integers(0, 24, ROWS).astype(float),
    "is_new": random.random(ROWS) > 0.5,
    "merchant": pd.Categorical(random.choice(["fuel", "food", 'pay, "now"', "Zürich"], ROWS, p=[0.5, 0.3, 0.195, 0.005])),
    "desk": pd.Categorical(random.choice([3, 1, 2], ROWS)),
    "count": random.integers(0, 5, ROWS),
})  # fmt: skip
FRAME.loc[::50, "hour"] = np.nan
NUMBERS = FRAME[["amount", "hour", "is_new", "count"]].astype(float)
WHOLE = NUMBERS.fillna(12.0)
LATE = ((FRAME.amount > 20) ^ (FRAME.merchant == "food")).astype(int)
CLASSES = (FRAME.amount > 20).astype(int) + (FRAME.merchant == "food")
NOISE = random.random(ROWS) > 0.5  # to validate on: boosting stops early


def events_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """One for each row, and which it is; not as the tool makes them up."""
    def value(v: Any, is_category: bool) -> Any:
        v = v.item() if isinstance(v, np.generic) else v
        return None if v is None or v != v else str(v) if is_category else v

    categories = [isinstance(t, pd.CategoricalDtype) for t in frame.dtypes]
    columns = [[value(v, c) for v in frame[name]] for name, c in zip(frame, categories)]
    return [{**dict(zip(frame, row)), "row": i} for i, row in enumerate(zip(*columns))]


def read_goldens(bundle: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (bundle / "golden.jsonl").read_text("utf-8").splitlines()]


def read_ini(bundle: Path) -> configparser.ConfigParser:
    ini = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    ini.optionxform = str  # type: ignore[assignment, method-assign]
    ini.read(bundle / "model.ini", encoding="utf-8")
    return ini


def apart(got: np.ndarray, want: Any) -> float:
    """In units of the last place of float32, at most; endless when there are more of one."""
    want = np.asarray(want, np.float64).reshape(-1)
    if got.shape != want.shape:
        return np.inf
    return float((np.abs(got.astype(np.float32) - want.astype(np.float32)) / np.spacing(np.abs(want).astype(np.float32))).max())


class Suite:
    def __init__(self, kscore: Path, folder: Path) -> None:
        self.kscore, self.folder, self.account, self.made = kscore, folder, real.Account(), 0
        self.said = ""

    def check(self, holds: bool, what: str, detail: Any = "") -> None:
        self.account.check(holds, what, str(detail)[-400:])

    def make(self, model: Any, frame: Any = FRAME, **options: Any) -> Path:
        self.made += 1
        out, said = self.folder / f"bundle-{self.made}", io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            make_bundle(model, frame, out, **{"name": "fraud", "version": 7, "check": False, **options})
        self.said = said.getvalue()
        return out

    def scored(self, bundle: Path, events: list[Any], output: str = "prediction") -> np.ndarray:
        """By kscore, from events."""
        lines = "\n".join(json.dumps(e, ensure_ascii=False) for e in events)
        command = [self.kscore, "score", "--model", bundle, "-o", "f64le", "--output", output]
        done = subprocess.run(command, input=lines.encode(), capture_output=True)
        if done.returncode != 0:
            print(done.stderr.decode(errors="replace")[-400:], flush=True)
        return np.frombuffer(done.stdout, "<f8")

    def holds(self, what: str, model: Any, frame: pd.DataFrame, score: Any, margin: Any = None, **options: Any) -> Path:
        """The bundle has the scores of the model that was passed in: its golden lines, and through kscore each event."""
        events, score = events_of(frame), np.asarray(score)
        bundle = self.make(model, frame, events=events, **options)
        kind = read_ini(bundle)["model"]["format"]
        goldens = read_goldens(bundle)
        picked = [g["event"]["row"] for g in goldens]
        limit = {"onnx": 1e-5, "linear": 1e-12}.get(kind, 0)
        got = np.array([g["score"] for g in goldens]).astype(score.dtype)
        near = np.allclose(got, score[picked], rtol=limit, atol=limit * np.abs(score).max())
        if margin is not None:
            margins = np.array([g["margin"] for g in goldens]).astype(np.asarray(margin).dtype)
            near = near and np.allclose(margins, np.asarray(margin)[picked], rtol=limit, atol=limit)
        self.check(near and len(goldens) == 64, f"{what}: 64 golden lines have the model's scores", got[:3])
        if not READ[kind]:
            real.skip(f"format = {kind} is not read by this kscore: its bundles are held against the library only")
            return bundle
        done = subprocess.run([self.kscore, "model", bundle], capture_output=True, text=True)
        self.check(done.returncode == 0 and "64, all hold" in done.stdout, f"{what}: kscore runs its golden lines", done.stderr)
        if limit == 0:
            self.check(apart(self.scored(bundle, events), score) <= 1, f"{what}: {len(events)} events have the model's scores")
        if limit == 0 and margin is not None:
            got = self.scored(bundle, events, "margin").astype(margin.dtype)
            self.check(np.array_equal(got, margin.reshape(-1)), f"{what}: {len(events)} events have its margins to the bit", got)
        return bundle


# ------------------------------------------------------------------------------------------------- models


def test_xgboost(suite: Suite) -> None:
    data = xgb.DMatrix(FRAME, LATE, enable_categorical=True)
    for booster in ("gbtree", "dart"):
        options = {"objective": "binary:logistic", "booster": booster, "rate_drop": 0.3, "seed": 1}
        model = xgb.train(options if booster == "dart" else {"objective": "binary:logistic"}, data, 20)
        suite.holds(f"Booster, {booster}", model, FRAME, model.predict(data), model.predict(data, output_margin=True))
    model = xgb.XGBClassifier(n_estimators=60, early_stopping_rounds=3, enable_categorical=True)
    model.fit(FRAME, LATE, eval_set=[(FRAME, NOISE)], verbose=False)
    suite.check(model.best_iteration + 1 < model.get_booster().num_boosted_rounds(), "boosting has stopped early")
    score = model.predict_proba(FRAME)[:, 1]
    bundle = suite.holds("XGBClassifier, early stop", model, FRAME, score, model.predict(FRAME, output_margin=True))
    rounds = xgb.Booster(model_file=bundle / "model.ubj").num_boosted_rounds()
    suite.check(rounds == model.best_iteration + 1, "the file ends with the best round", rounds)
    model = model.get_booster()  # predicts with all
    bundle = suite.holds("its Booster", model, FRAME, model.predict(data), model.predict(data, output_margin=True))
    suite.check("rounds, as Booster.predict uses" in suite.said, "a Booster with a best round that is not its last is noted", suite.said)
    model = xgb.XGBRegressor(n_estimators=10, num_parallel_tree=2, subsample=0.5).fit(NUMBERS, FRAME.amount)
    suite.holds("XGBRegressor", model, NUMBERS, model.predict(NUMBERS))
    model = xgb.XGBClassifier(n_estimators=10).fit(NUMBERS.to_numpy(), CLASSES)
    score, margin = model.predict_proba(NUMBERS.to_numpy()), model.predict(NUMBERS.to_numpy(), output_margin=True)
    bundle = suite.holds("three classes, trained without names", model, NUMBERS, score, margin, index=2)
    suite.check(read_ini(bundle)["output"]["index"] == "2", "index says which class is the score")


def test_lightgbm(suite: Suite) -> None:
    quiet = {"verbose": -1, "min_data_in_leaf": 5}
    model = lgb.train({"objective": "binary", **quiet}, lgb.Dataset(FRAME, LATE), 20)
    bundle = suite.holds("Booster", model, FRAME, model.predict(FRAME), model.predict(FRAME, raw_score=True))
    suite.check(read_ini(bundle)["features"]["merchant"].endswith("unknown as missing"), "unknown texts are missing, as for LightGBM")
    model = lgb.LGBMClassifier(n_estimators=60, **quiet)
    model.fit(FRAME, LATE, eval_X=FRAME, eval_y=NOISE, callbacks=[lgb.early_stopping(3, verbose=False)])
    score = model.predict_proba(FRAME)[:, 1]
    bundle = suite.holds("LGBMClassifier, early stop", model, FRAME, score, model.predict(FRAME, raw_score=True))
    rounds = lgb.Booster(model_file=bundle / "model.txt").num_trees()
    suite.check(rounds == model.best_iteration_ < 60, "the file ends with the best round", rounds)
    model = lgb.LGBMRegressor(n_estimators=10, **quiet).fit(NUMBERS, FRAME.amount)
    suite.holds("LGBMRegressor", model, NUMBERS, model.predict(NUMBERS))
    model = lgb.LGBMClassifier(n_estimators=10, **quiet).fit(FRAME, CLASSES)
    suite.holds("three classes", model, FRAME, model.predict_proba(FRAME), model.predict(FRAME, raw_score=True), index=0)
    spaced = NUMBERS.rename(columns={"is_new": "is new"})
    model = lgb.LGBMRegressor(n_estimators=5, **quiet).fit(spaced, FRAME.amount)
    bundle = suite.holds("a name with a blank, which LightGBM changes", model, spaced, model.predict(spaced))
    suite.check(read_ini(bundle)["features"]["is_new"].startswith("is new : "), "its path has the column's name")


def test_sklearn(suite: Suite) -> None:
    for model in (LinearRegression(), Ridge(), PoissonRegressor(max_iter=500)):
        model.fit(WHOLE, FRAME.amount)
        bundle = suite.holds(type(model).__name__, model, WHOLE, model.predict(WHOLE))
        suite.check(json.loads((bundle / "model.json").read_text())["format"] == "kscore-linear", "is a linear JSON")
    model = LogisticRegression(max_iter=2000).fit(WHOLE, LATE)
    suite.holds("LogisticRegression", model, WHOLE, model.predict_proba(WHOLE)[:, 1], model.decision_function(WHOLE))
    model = LogisticRegression(max_iter=2000).fit(WHOLE, CLASSES)
    bundle = suite.holds("LogisticRegression, three classes", model, WHOLE, model.predict_proba(WHOLE), index=1)
    suite.check(json.loads((bundle / "model.json").read_text())["outputs"] == ["0", "1", "2"], "its outputs are named")
    model = make_pipeline(SimpleImputer(), LogisticRegression(max_iter=2000)).fit(NUMBERS, LATE)
    suite.holds("behind an imputer", model, NUMBERS, model.predict_proba(NUMBERS)[:, 1])
    model = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()).fit(NUMBERS, LATE)
    suite.holds("behind a scaler", model, NUMBERS, model.predict_proba(NUMBERS)[:, 1])
    some = {"max_depth": 6, "random_state": 1}
    for model in (DecisionTreeClassifier(**some), RandomForestClassifier(10, **some), GradientBoostingClassifier(n_estimators=10, **some),
                  HistGradientBoostingClassifier(max_iter=10, **some)):  # fmt: skip
        model.fit(WHOLE, LATE)
        suite.holds(type(model).__name__, model, WHOLE, model.predict_proba(WHOLE)[:, 1])
    for model in (RandomForestRegressor(10, **some), ExtraTreesRegressor(10, **some), GradientBoostingRegressor(n_estimators=10, **some)):
        model.fit(WHOLE, FRAME.amount)
        suite.holds(type(model).__name__, model, WHOLE, model.predict(WHOLE))
    model = HistGradientBoostingRegressor(max_iter=20, **some).fit(NUMBERS, FRAME.amount)
    suite.holds("HistGradientBoostingRegressor, with missing values", model, NUMBERS, model.predict(NUMBERS))


# ------------------------------------------------------------------------------------------------ bundles


def small(frame: pd.DataFrame = FRAME, rounds: int = 5) -> xgb.Booster:
    return xgb.train({"objective": "binary:logistic"}, xgb.DMatrix(frame, LATE[: len(frame)], enable_categorical=True), rounds)


def test_ini(suite: Suite) -> None:
    bundle = suite.make(small(), paths={"hour": "time.hour | hour"}, required={"hour": True, "count": False}, unknown={"desk": "missing"},
                        thresholds="0.5 review, 0.90 block", below="pass", y=LATE, output_name="late")  # fmt: skip
    ini = read_ini(bundle)
    suite.check(dict(ini["features"]) == {
        "amount": "amount : number, required", "hour": "time.hour | hour : number, required", "is_new": "is_new : boolean, required",
        "merchant": "merchant : category merchant.csv, required, unknown as error",
        "desk": "desk : category desk.csv, required, unknown as missing", "count": "count : number, optional",
    }, "each feature has its line: type, and missing by the frame unless said", dict(ini["features"]))  # fmt: skip
    suite.check(dict(ini["output"]) == {"kind": "probability", "name": "late", "thresholds": "0.5 review, 0.9 block", "below": "pass"},
                "the output and its decisions are said", dict(ini["output"]))  # fmt: skip
    table = (bundle / "merchant.csv").read_text("utf-8")
    suite.check(table == 'value,code\nZürich,0\nfood,1\nfuel,2\n"pay, ""now""",3\n', "a table in the model's order", table)
    suite.check((bundle / "desk.csv").read_text() == "value,code\n1,0\n2,1\n3,2\n", "whole numbers are their text")
    suite.check(f"the truth {LATE.mean():.4g}" in suite.said, "the truth stands beside the score", suite.said)
    suite.check(sorted(p.name for p in bundle.iterdir()) == ["desk.csv", "golden.jsonl", "merchant.csv", "model.ini", "model.ubj", "reference.json"],
                "nothing else is in the bundle")  # fmt: skip
    done = subprocess.run([suite.kscore, "model", bundle], capture_output=True, text=True)
    suite.check("from 0.9" in done.stdout, "kscore loads it", done.stderr)
    bundle = suite.make(small(), thresholds={-1.5: "odd", 2: "bad"}, below="good", kind="margin")
    suite.check(read_ini(bundle)["output"]["thresholds"] == "-1.5 odd, 2.0 bad", "thresholds as a dictionary, of margins")
    frame = pd.DataFrame({"a": [1.0, 2], "ä": [0.0, 1], "A/b": [0.0, 1]})
    model = xgb.train({}, xgb.DMatrix(frame, [0, 1]), 1)
    bundle = suite.make(model, frame, categories={"ä": {"x": 0, "y": 1}, "A/b": {"x": 0, "y": 1}}, check=suite.kscore)
    suite.check([read_ini(bundle)["features"][n].split(",")[0] for n in frame] == ["a : number", "ä : category _.csv", "A/b : category A_b.csv"],
                "names that are no file names have tables all the same", dict(read_ini(bundle)["features"]))  # fmt: skip


def test_golden(suite: Suite) -> None:
    goldens = read_goldens(suite.make(small(), check=suite.kscore))
    rows = np.array([[np.nan if v is None else v for v in g["row"]] for g in goldens])
    scores = small().predict(xgb.DMatrix(FRAME, enable_categorical=True))
    got = [np.float32(g["score"]) for g in goldens]
    suite.check(len(goldens) == 64 and min(got) == scores.min() and max(got) == scores.max(), "golden lines span the scores")
    suite.check(np.isnan(rows[:, 1]).any() and set(rows[:, 3]) == {0, 1, 2, 3} and set(rows[:, 4]) == {0, 1, 2},
                "a feature that is missing, each edge of the categories, the rarest one")  # fmt: skip
    edges = [np.float32(v) for v in (rows[:, 0].min(), rows[:, 0].max())]
    suite.check(edges == [FRAME.amount.min(), FRAME.amount.max()], "smallest and largest numbers", edges)
    event = next(g["event"] for g in goldens if g["row"][1] is None)
    suite.check(event["hour"] is None and type(event["is_new"]) is bool and type(event["desk"]) is str, "events are made up, flat", event)
    nested = suite.make(small(), paths={"hour": 'time.hour["local"] | hour', "amount": "time.amount"}, check=suite.kscore)
    event = read_goldens(nested)[0]["event"]
    suite.check(set(event["time"]) == {"hour", "amount"} and set(event["time"]["hour"]) == {"local"}, "and nested, where paths are", event)
    suite.make(small(), events=FRAME.astype({"desk": str}).to_dict("records"), check=suite.kscore)
    suite.check("64 with an event" in suite.said, "events of pandas, with NaN and numpy's numbers, are JSON", suite.said)
    bare = read_goldens(suite.make(small(), required=["hour"], check=suite.kscore))
    suite.check({"event" in g for g in bare if g["row"][1] is None} == {False}, "no event where a required feature is missing")
    wide = FRAME.assign(amount=FRAME.amount + 1e-9)
    suite.make(LinearRegression().fit(wide[["amount"]], LATE), wide[["amount"]])
    suite.check("kscore rounds numbers to float32" in suite.said, "what rounding to float32 changes is noted", suite.said)
    suite.check(len(read_goldens(suite.make(small(FRAME[:9]), FRAME[:9], check=suite.kscore))) == 9, "a frame of nine rows has nine")


def test_refused(suite: Suite) -> None:
    booster, named = small(), NUMBERS.rename(columns={"hour": "a=b"})
    own = xgb.XGBRegressor(n_estimators=1, objective=lambda y, p: (p - y, np.ones_like(p))).fit(NUMBERS, LATE)
    own_lgb = lgb.train({"objective": lambda p, d: (p - d.get_label(), np.ones_like(p)), "verbose": -1}, lgb.Dataset(NUMBERS, LATE), 1)
    encoded = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(max_iter=50)).fit(WHOLE[["hour"]], LATE)
    gaps = RandomForestClassifier(5, random_state=1).fit(NUMBERS, LATE)
    three = xgb.XGBClassifier(n_estimators=1).fit(NUMBERS, CLASSES)
    refused = {
        "a custom objective": (own, NUMBERS, {}),
        "a custom objective:": (own_lgb, NUMBERS, {}),
        "missing=-1": (xgb.XGBRegressor(n_estimators=1, missing=-1).fit(WHOLE, LATE), WHOLE, {}),
        "IsolationForest: kscore scores": (IsolationForest(n_estimators=2).fit(WHOLE), WHOLE, {}),
        "RidgeClassifier: of linear classifiers": (RidgeClassifier().fit(WHOLE, LATE), WHOLE, {}),
        "OneHotEncoder in a pipeline": (encoded, WHOLE[["hour"]], {}),
        "RandomForestClassifier as ONNX: the file gives other scores": (gaps, NUMBERS, {}),
        "dict is no model of": ({}, NUMBERS, {}),
        "the feature's name 'a=b' cannot stand": (xgb.train({}, xgb.DMatrix(named, LATE), 1), named, {}),
        "feature hour: 'a..b' is no path": (booster, FRAME, {"paths": {"hour": "a..b"}}),
        "events cannot be made up for the path a[0]": (booster, FRAME, {"paths": {"hour": "a[0]"}}),
        "paths: the model has no feature huor": (booster, FRAME, {"paths": {"huor": "a"}}),
        "no column amount": (booster, FRAME.drop(columns="amount"), {}),
        "feature count: infinite as float32 in row 3": (booster, FRAME.assign(count=np.where(np.arange(ROWS) == 3, 1e39, 1.0)), {}),
        "feature count: a column of datetime64": (booster, FRAME.assign(count=pd.Timestamp("2026-01-01")), {}),
        "feature count: the column holds text": (booster, FRAME.assign(count="one"), {}),
        "feature count: code 4 is not in categories=": (booster, FRAME, {"categories": {"count": {"a": 0, "b": 1, "c": 2, "d": 3}}}),
        "feature desk: 7 is no category of the model": (booster, FRAME.assign(desk=7), {}),
        "feature merchant: fuel is no category of the model; it has []": (booster, FRAME.astype({"merchant": str}), {}),
        "thresholds must rise": (booster, FRAME, {"thresholds": "0.5 a, 0.4 b", "below": "c"}),
        "thresholds are written": (booster, FRAME, {"thresholds": "a 0.5", "below": "c"}),
        "thresholds and below": (booster, FRAME, {"thresholds": "0.5 a"}),
        "cannot stand in model.ini: 'name    = a # b'": (booster, FRAME, {"name": "a # b"}),
        "kind rank: it is probability": (booster, FRAME, {"kind": "rank"}),
        "the model has 3 outputs: index says which": (three, NUMBERS, {}),
        "an entry for each row": (booster, FRAME, {"events": [{}]}),
        "not-there: no program": (booster, FRAME, {"check": suite.folder / "not-there"}),
        "false refuses the bundle": (booster, FRAME, {"check": "false"}),
        "true gives 0 margins, must be 1500": (booster, FRAME, {"check": "true"}),
    }
    before = sorted(suite.folder.iterdir())
    for words, (model, frame, options) in refused.items():
        try:
            said = str(suite.make(model, frame, **options))
        except Refused as e:
            said = str(e)
        suite.check(words in said and "\n" not in said, f"refused: {words}", said)
    suite.check(sorted(suite.folder.iterdir()) == before, "and nothing is left behind")
    out = suite.make(booster, check=suite.kscore)
    try:
        make_bundle(booster, FRAME, out, name="a", version=1)
        suite.check(False, "a bundle that is there stays")
    except Refused as e:
        suite.check("is there already" in str(e) and read_ini(out)["model"]["name"] == "fraud", "a bundle that is there stays", e)
    with contextlib.redirect_stdout(io.StringIO()):
        make_bundle(booster, FRAME, out, name="a", version=1, replace=True, check=False)
    suite.check(read_ini(out)["model"]["name"] == "a", "unless it is to be replaced")


def test_command(suite: Suite) -> None:
    folder = suite.folder / "command"
    folder.mkdir()
    small().save_model(folder / "model.json")
    shutil.copy(suite.make(small()) / "merchant.csv", folder)  # the texts beyond ASCII that XGBoost 3.2 garbles
    lgb.train({"objective": "binary", "verbose": -1}, lgb.Dataset(FRAME, LATE), 2).save_model(folder / "model.txt")
    FRAME.to_csv(folder / "rows.csv", index=False)
    (folder / "events.jsonl").write_text("\n".join(json.dumps({**e, "at": {"hour": e.pop("hour")}}) for e in events_of(FRAME)), "utf-8")

    def call(*arguments: Any) -> subprocess.CompletedProcess:
        command = [sys.executable, ROOT / "tools/kscore-bundle", "--data", "rows.csv", "--name", "fraud", "--version", "7"]
        return subprocess.run([*command, *map(str, arguments)], cwd=folder, capture_output=True, text=True)

    done = call("--model", "model.json", "--events", "events.jsonl", "--path", "hour=at.hour", "--out", "xgb", "--check", suite.kscore,
                "--table", "merchant=merchant.csv", "--optional", "count", "--unknown", "merchant=missing", "--thresholds", "0.5 late", "--below", "ok")  # fmt: skip
    suite.check(done.returncode == 0 and "proven by" in done.stdout, "a saved XGBoost model, CSV and events", done.stderr)
    suite.check((folder / "xgb/model.json").read_bytes() == (folder / "model.json").read_bytes(), "the file is copied as it is")
    features = read_ini(folder / "xgb")["features"]
    suite.check(features["hour"] == "at.hour : number, optional" and features["count"].endswith("optional"), "options are as the arguments")
    done = call("--model", "model.txt", "--out", "lgb", "--no-check")
    suite.check(done.returncode == 65 and "2 category columns" in done.stderr, "LightGBM does not name its categories: CSV cannot", done.stderr)
    for what, arguments, code, words in (
        ("--help teaches", ("--help",), 0, "kscore-bundle --model model.ubj"),
        ("wrong usage", ("--modl", "x"), 64, "see kscore-bundle --help"),
        ("refused", ("--model", "rows.csv", "--out", "no"), 65, "no XGBoost JSON"),
        ("no file", ("--model", "none.ubj", "--out", "no"), 74, "none.ubj"),
        ("a bare option", ("--model", "model.json", "--out", "no", "--path", "hour"), 65, "NAME=VALUE"),
    ):
        done = call(*arguments)
        said = done.stdout + done.stderr
        is_line = code == 0 or len(done.stderr.strip().splitlines()) == 1
        suite.check(done.returncode == code and words in said and is_line, f"{what}: exit {code}, in one line", said)


# ------------------------------------------------------------------------------------------------ flights


def test_flights(suite: Suite) -> None:
    """delay-2 and delay-lgbm made anew from their model files and a week of events."""
    if not DATA.is_dir():
        return real.skip(f"no {DATA} (set KSCORE_DATA)")
    sys.path.insert(0, str(DATA))
    import bundle as reference
    import events
    import train

    rows = list(events.read_rows(DATA / "flights.csv.gz", date(2013, 11, 1), date(2013, 11, 7)))
    made = [events.make_event(row, "v2") for row in rows]
    for name, bits in (("delay-2", "f32"), ("delay-lgbm", "f64")):
        old = reference.Bundle(DATA / "models" / name)
        x = np.array([old.row(e) for e in made], np.float32)
        frame = pd.DataFrame(x, columns=[f.name for f in old.features])
        codes = {f.name: f.codes for f in old.features if f.codes}
        frame = frame.astype({f.name: bool for f in old.features if f.type == "boolean"})
        for feature, table in codes.items() if name == "delay-2" else ():  # it was trained on texts
            texts = list({code: text for text, code in reversed(table.items())}.values())[::-1]
            frame[feature] = pd.Categorical.from_codes(frame[feature].fillna(-1).astype(int), texts)
        model = xgb.Booster(model_file=old.file) if name == "delay-2" else lgb.Booster(model_file=old.file)
        wishes = {"paths": {}, "required": {}, "unknown": {}}
        for f in old.features:
            wishes["paths"][f.name], wishes["required"][f.name] = " | ".join(f.paths), f.required
            wishes["unknown"][f.name] = "missing" if f.unknown_is_missing else "error"
        out = suite.make(model, frame, events=made, categories=codes, file=old.file, thresholds="0.25 watch, 0.50 late",
                         below="on_time", **wishes)  # fmt: skip
        new, lines = read_ini(out), read_ini(DATA / "models" / name)
        suite.check(dict(new["features"]) == dict(lines["features"]), f"{name}: the features have the same lines", dict(new["features"]))
        for feature in codes:
            tables = [sorted((folder / f"{feature}.csv").read_text().splitlines()) for folder in (out, DATA / "models" / name)]
            suite.check(tables[0] == tables[1], f"{name}: {feature}.csv has the same lines")
        document = json.loads((out / "reference.json").read_text())
        describe = {"score": train.describe(model_scores(name)), **{n: train.describe(x[:, i]) for i, n in enumerate(frame) if n not in codes}}
        found = {"score": document["score"], **{n: d for n, d in document["features"].items() if n not in codes}}
        suite.check(found == describe, f"{name}: reference.json is as train.py writes it")
        text = train.compact_lists(json.dumps(document, indent=1)) + "\n"
        suite.check((out / "reference.json").read_text() == text, f"{name}: in the same layout")
        want = np.fromfile(DATA / f"expected/{name}.margin.{bits}", f"<{bits[0]}{int(bits[1:]) // 8}")
        if not READ[lines["model"]["format"]]:
            real.skip(f"format = {lines['model']['format']} is not read by this kscore: its bundles are held against the library only")
            continue
        got = suite.scored(out, made, "margin").astype(want.dtype)
        suite.check(np.array_equal(got, want), f"{name}: {len(made)} real events have their margins to the bit", got[:3])
        suite.check(apart(suite.scored(out, made), model_scores(name)) <= 1, f"{name}: and their scores")


def model_scores(name: str) -> np.ndarray:
    return np.fromfile(DATA / f"expected/{name}.score.f32", "<f4")


def main() -> None:
    kscore = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release/kscore").resolve()
    cases: dict[str, Callable[[Suite], None]] = {n.removeprefix("test_"): f for n, f in globals().items() if n.startswith("test_")}
    chosen = [name for name in cases if name in sys.argv[2:]] or [name for name in cases if not any(sys.argv[2:])]
    if not chosen:
        raise SystemExit(f"no case {sys.argv[2]}; there are: {' '.join(cases)}")
    folder = Path(tempfile.mkdtemp(prefix="kscore-bundle-"))
    suite = Suite(kscore, folder)
    try:
        for name in chosen:
            print(name, flush=True)
            cases[name](suite)
    finally:
        shutil.rmtree(folder)
    suite.account.end_as_check()


if __name__ == "__main__":
    main()
