#!/usr/bin/env python3
"""From a fitted model and a data frame to a bundle that kscore runs, in one call.

    from kscore_bundle import make_bundle
    make_bundle(model, frame, "models/fraud-7", name="fraud", version=7, thresholds="0.5 review, 0.9 block", below="pass")

model   XGBoost (Booster, XGBClassifier, ...), LightGBM (Booster, LGBMClassifier, ...), or scikit-learn (trees, forests and
        boosting as ONNX; linear and logistic models as a small JSON; an imputer or a scaler may stand before them)
frame   rows as the model takes them, best those it was trained on: what is missing in them is optional, the rest required;
        their histograms are the reference for drift; golden rows are picked from them. Categories are pandas categories
events  a list with the JSON object that each row of the frame was made from; without it they are flat: column = field

The bundle scores as the model that was passed in does: rounds behind the best of an early stop are left out where its
predict leaves them out. That is proven, on all rows of the frame, by the library with the saved file, and by kscore where
it is found. A bundle that is not proven is not left behind.
docs/model-bundle.md has the story, `kscore-bundle --help` the options for models that lie in files.
"""
from __future__ import annotations

import argparse
import copy
import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

try:
    import numpy as np
    import pandas as pd
except ImportError as e:
    if __name__ == "__main__":
        sys.exit(f"kscore-bundle: needs {e.name}: pip install numpy pandas, and the library of the model")
    raise

GOLDEN_LINES = 64
Scores = tuple[np.ndarray | None, np.ndarray]  # margins (None: the library does not tell them), and what its predict gives


class Refused(ValueError):
    """What kscore cannot score, or what would not be a bundle: one line."""


@dataclass
class Model:
    """A fitted model, and the file that it becomes."""

    format: str
    file: str
    names: list[str]  # of its features, as the file has them
    what: str  # for people
    kind: str  # what its score is, unless the caller says: probability or value
    save: Callable[[Path], object]
    fitted: Callable[[pd.DataFrame], Scores]  # by the model that was passed in
    saved: Callable[[Path, np.ndarray], Scores]  # by its library, from the file, for rows of float32
    stored: dict[int, list[Any]] = field(default_factory=dict)  # categories that the file has, by feature, in code order
    unknown: str = "error"  # what becomes of a text that is none of them
    tolerance: float = 0.0  # between fitted and saved; 0: to the bit
    close: float = 0.0  # between its library and kscore, which model.ini must allow; 0: exact
    notes: list[str] = field(default_factory=list)


@dataclass
class Feature:
    """A line of [features], and its column."""

    name: str
    paths: str
    type: str
    values: np.ndarray  # float64, NaN = missing, categories as codes
    column: pd.Series  # as the model takes it
    table: dict[str, int] = field(default_factory=dict)  # text -> code
    file: str = ""  # the table's
    required: bool = False
    unknown: str = ""

    def line(self) -> str:
        kind = f"category {self.file}" if self.table else self.type
        unknown = f", unknown as {self.unknown}" if self.table else ""
        return f"{self.paths} : {kind}, {'required' if self.required else 'optional'}{unknown}"


# ----------------------------------------------------------------------------------------------- XGBoost


def from_xgboost(model: Any, frame: pd.DataFrame) -> Model:
    import xgboost as xgb

    is_wrapper = isinstance(model, xgb.XGBModel)
    if is_wrapper and callable(model.objective):
        raise Refused("a custom objective: the file does not name it, so what it predicts is not known")
    if is_wrapper and not np.isnan(model.missing):
        raise Refused(f"missing={model.missing}: the file does not have it; train with NaN, and null or nothing in the event")
    booster, notes = model.get_booster() if is_wrapper else model, []
    best, rounds = getattr(booster, "best_iteration", None), booster.num_boosted_rounds()
    if best is not None and best + 1 < rounds and getattr(model, "booster", None) != "gblinear":
        if is_wrapper:
            booster = booster[: best + 1]
        else:
            notes.append(f"all {rounds} rounds, as Booster.predict uses; for those up to the best pass model[: {best + 1}]")
    document = json.loads(booster.save_raw("json"))
    objective = document["learner"]["objective"]["name"]

    def fitted(frame: pd.DataFrame) -> Scores:
        if is_wrapper:
            return by_wrapper(model, frame if booster.feature_names else frame.to_numpy(np.float32), "output_margin")
        data = xgb.DMatrix(frame, feature_types=model.feature_types, enable_categorical=True)
        return tuple(model.predict(data, output_margin=m, validate_features=False) for m in (True, False))

    def saved(file: Path, rows: np.ndarray) -> Scores:
        again = xgb.Booster(model_file=str(file))
        data = xgb.DMatrix(rows, feature_types=again.feature_types, enable_categorical=True)
        return tuple(again.predict(data, output_margin=m, validate_features=False) for m in (True, False))

    return Model(
        "xgboost", "model.ubj", booster.feature_names or unnamed(booster.num_features()), f"XGBoost, {objective}",
        "probability" if objective in ("binary:logistic", "reg:logistic", "multi:softprob") else "value",
        booster.save_model, fitted, saved, xgboost_categories(document), notes=notes,
    )  # fmt: skip


def xgboost_categories(document: dict[str, Any]) -> dict[int, list[Any]]:
    """Of 3.1 and newer, as in Arrow. Empty: there are some, but texts beyond ASCII are garbled before 3.4
    (dmlc/xgboost#12371)."""
    found: dict[int, list[Any]] = {}
    cats = document["learner"]["gradient_booster"].get("model", {}).get("cats", {})
    for i, encoding in enumerate(cats.get("enc", [])):
        values, ends = encoding.get("values", []), encoding.get("offsets", [])
        if ends:
            data = bytes(v & 0xFF for v in values)
            is_plain = data.isascii() or document["version"] >= [3, 4, 0]
            found[i] = [data[a:b].decode() for a, b in zip(ends, ends[1:])] if is_plain else []
        elif values:
            found[i] = values
    return found


def by_wrapper(model: Any, rows: Any, margin: str) -> Scores:
    """What the libraries' scikit-learn wrappers predict; a binary classifier's two columns are one output."""
    margins = model.predict(rows, **{margin: True})
    scores = model.predict_proba(rows) if hasattr(model, "predict_proba") else model.predict(rows)
    return margins, scores[:, 1] if margins.ndim == 1 and scores.ndim == 2 else scores


def unnamed(count: int) -> list[str]:
    return [f"f{i}" for i in range(count)]


# ---------------------------------------------------------------------------------------------- LightGBM


def from_lightgbm(model: Any, frame: pd.DataFrame) -> Model:
    import lightgbm as lgb

    is_wrapper = isinstance(model, lgb.LGBMModel)
    booster = model.booster_ if is_wrapper else model
    best = booster.best_iteration if booster.best_iteration and booster.best_iteration > 0 else -1
    objective = re.search(r"^objective=(\S+)", booster.model_to_string(num_iteration=1), re.M)
    if not objective or objective[1] == "custom":
        raise Refused("a custom objective: the file does not name it, so what it predicts is not known")
    lists = booster.pandas_categorical or []  # of the category columns, in their order, without names
    places = [i for i, c in enumerate(find_columns(booster.feature_name(), frame)) if is_category(frame[c]) or is_text(frame[c])]
    if lists and len(lists) != len(places):
        raise Refused(f"the model was trained with {len(lists)} category columns, the frame has {len(places)}")

    def fitted(frame: pd.DataFrame) -> Scores:
        if is_wrapper:
            return by_wrapper(model, frame, "raw_score")
        return model.predict(frame, raw_score=True), model.predict(frame)

    def saved(file: Path, rows: np.ndarray) -> Scores:
        again = lgb.Booster(model_file=str(file))
        wide = rows.astype(np.float64)
        return again.predict(wide, raw_score=True), again.predict(wide)

    return Model(
        "lightgbm", "model.txt", booster.feature_name(), f"LightGBM, {objective[1]}",
        "probability" if objective[1] in ("binary", "multiclass", "multiclassova", "cross_entropy") else "value",
        lambda path: booster.save_model(str(path), num_iteration=best), fitted, saved,
        dict(zip(places, lists)), unknown="missing",
    )  # fmt: skip


# ------------------------------------------------------------------------------------------ scikit-learn

FORESTS = ("DecisionTree", "ExtraTree", "ExtraTrees", "RandomForest", "GradientBoosting", "HistGradientBoosting")
BEFORE = ("SimpleImputer", "StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler")


def from_sklearn(model: Any, frame: pd.DataFrame) -> Model:
    from sklearn.base import is_classifier

    steps = [step for _, step in model.steps] if type(model).__name__ == "Pipeline" else [model]
    for step in steps[:-1]:
        if type(step).__name__ not in BEFORE:
            raise Refused(f"{type(step).__name__} in a pipeline: kscore computes {', '.join(BEFORE)}, the event has the rest")
    names = list(getattr(model, "feature_names_in_", [])) or unnamed(model.n_features_in_)
    classes = len(steps[-1].classes_) if is_classifier(model) and np.ndim(steps[-1].classes_[0]) == 0 else 0

    def fitted(frame: pd.DataFrame) -> Scores:
        rows = frame if hasattr(model, "feature_names_in_") else frame.to_numpy(np.float64)
        if not is_classifier(model):
            return None, model.predict(rows)
        proba = model.predict_proba(rows)
        return None, proba[:, 1] if classes == 2 else proba

    kind = "probability" if is_classifier(model) else "value"
    what = " of ".join(type(step).__name__ for step in reversed(steps))
    imputed = plain_imputer(steps[0]) if len(steps) == 2 else None
    if type(steps[-1]).__module__.startswith("sklearn.linear_model") and (len(steps) == 1 or imputed is not None):
        document = linear_document(steps[-1], names, imputed)
        text = json.dumps(document, indent=1)
        return Model("linear", "model.json", names, what, kind, lambda path: path.write_text(text + "\n", "utf-8"),
                     fitted, linear_saved, tolerance=1e-12)  # fmt: skip
    if type(steps[-1]).__name__ not in [f + c for f in FORESTS for c in ("Classifier", "Regressor")] and len(steps) == 1:
        raise Refused(f"{what}: kscore scores scikit-learn's trees, forests, boosting, linear and logistic models")
    if getattr(steps[-1], "is_categorical_", None) is not None:
        raise Refused(f"{what} with categorical features has no exporter to ONNX; train with XGBoost or LightGBM")
    if is_classifier(model) and classes == 0:
        raise Refused(f"{what} with several label columns")
    data, close = onnx_document(model, len(names), is_classifier(model))

    def saved(file: Path, rows: np.ndarray) -> Scores:
        scores = onnx_scores(file, rows)
        return None, scores[:, 1] if classes == 2 else scores

    what += " as ONNX"
    return Model("onnx", "model.onnx", names, what, kind, lambda path: path.write_bytes(data), fitted, saved,
                 tolerance=1e-5, close=close)  # fmt: skip


def plain_imputer(step: Any) -> list[float] | None:
    """What replaces NaN, feature by feature; None where it does more, or drops a column."""
    is_plain = type(step).__name__ == "SimpleImputer" and not step.add_indicator and np.isscalar(step.missing_values)
    if not is_plain or not np.isnan(step.missing_values) or not np.isfinite(step.statistics_.astype(np.float64)).all():
        return None
    return step.statistics_.astype(np.float64).tolist()


def linear_document(model: Any, names: list[str], imputed: list[float] | None) -> dict[str, Any]:
    """kscore's linear JSON: margin k = intercept k + the sum of x j * coefficient k j, in double and in this order."""
    from sklearn.base import is_regressor

    name = type(model).__name__
    is_sgd = name == "SGDClassifier" and model.loss == "log_loss" and len(model.classes_) == 2
    if is_sgd or name in ("LogisticRegression", "LogisticRegressionCV"):
        link = "logistic" if len(model.classes_) == 2 else "softmax"
    elif name in ("PoissonRegressor", "GammaRegressor"):
        link = "exp"
    elif name == "TweedieRegressor":
        link = "exp" if model.link == "log" or (model.link == "auto" and model.power > 0) else "identity"
    elif is_regressor(model) and hasattr(model, "coef_"):
        link = "identity"
    else:
        raise Refused(f"{name}: of linear classifiers kscore scores LogisticRegression, and SGDClassifier with log_loss for two")
    coefficients = np.atleast_2d(model.coef_)
    document: dict[str, Any] = {"format": "kscore-linear", "version": 1, "link": link, "features": names}
    if len(coefficients) > 1 and hasattr(model, "classes_"):
        document["outputs"] = [str(c) for c in model.classes_]
    document["intercept"] = np.broadcast_to(np.atleast_1d(model.intercept_), len(coefficients)).tolist()
    document["coefficients"] = coefficients.tolist()
    return document | ({"missing": imputed} if imputed else {})


def linear_saved(file: Path, rows: np.ndarray) -> Scores:
    document = json.loads(file.read_text(encoding="utf-8"))
    wide = rows.astype(np.float64)
    if "missing" in document:
        wide = np.where(np.isnan(wide), np.array(document["missing"]), wide)
    margins = np.tile(np.array(document["intercept"]), (len(wide), 1))
    for j in range(wide.shape[1]):
        margins = margins + wide[:, [j]] * np.array([c[j] for c in document["coefficients"]])
    power = np.exp(margins - margins.max(axis=1, keepdims=True))
    scores = {
        "identity": lambda: margins,
        "exp": lambda: np.exp(margins),
        "logistic": lambda: 1 / (1 + np.exp(-margins)),
        "softmax": lambda: power / power.sum(axis=1, keepdims=True),
    }[document["link"]]()
    return (margins[:, 0], scores[:, 0]) if margins.shape[1] == 1 else (margins, scores)


# What ONNX Runtime computes by another order of sums, or another exp, from machine to machine (docs/models.md).
CLOSE = {"LinearClassifier", "LinearRegressor", "MatMul", "Gemm", "Sigmoid", "Softmax", "Exp"}


def onnx_document(model: Any, width: int, is_classifier: bool) -> tuple[bytes, float]:
    """The file, and how close kscore comes to ONNX Runtime on it; 0: exact."""
    import skl2onnx
    from skl2onnx.common.data_types import FloatTensorType

    model = copy.deepcopy(model)
    for trees in getattr(model.steps[-1][1] if hasattr(model, "steps") else model, "_predictors", []):
        for tree in trees:  # of HistGradientBoosting: the exporter rounds to the nearest float32, which may be above
            exact = tree.nodes["num_threshold"]
            near = exact.astype(np.float32)
            tree.nodes["num_threshold"] = np.where(near > exact, np.nextafter(near, np.float32(-np.inf)), near)
    options = {id(model): {"zipmap": False}} if is_classifier else None
    made = skl2onnx.to_onnx(
        model, initial_types=[("X", FloatTensorType([None, width]))], options=options, target_opset={"": 15, "ai.onnx.ml": 3}
    )
    return made.SerializeToString(), 1e-6 if CLOSE & {node.op_type for node in made.graph.node} else 0.0


def onnx_scores(file: Path, rows: np.ndarray) -> np.ndarray:
    """By ONNX Runtime on one thread: more add up in another order."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    scores = session.run([session.get_outputs()[-1].name], {"X": rows})[0]
    return scores[:, 0] if scores.ndim == 2 and scores.shape[1] == 1 else scores


def asked(what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """A library's exception in one line."""
    try:
        return function(*arguments)
    except (Refused, ImportError):
        raise
    except Exception as e:
        cause = e.__cause__ or e
        raise Refused(f"{what}: {(str(cause).strip().splitlines() or [type(cause).__name__])[0]}") from e


ADAPTERS = {"xgboost": from_xgboost, "lightgbm": from_lightgbm, "sklearn": from_sklearn}


def adapt(model: Any, frame: pd.DataFrame) -> Model:
    for base in type(model).__mro__:
        if (library := base.__module__.split(".")[0]) in ADAPTERS:
            try:
                return asked(type(model).__name__, ADAPTERS[library], model, frame)
            except ImportError as e:
                raise Refused(f"{type(model).__name__} needs {e.name}: pip install {e.name}") from e
    raise Refused(f"{type(model).__name__} is no model of XGBoost, LightGBM or scikit-learn")


# ---------------------------------------------------------------------------------------------- features


def find_columns(names: list[str], frame: pd.DataFrame) -> list[Any]:
    """The frame's columns by name; by place where the model was trained without names, or its library changed them."""
    if all(name in frame.columns for name in names):
        return names
    columns = list(frame.columns)
    like = [re.sub(r"\W", "_", str(c)) for c in columns]
    if len(columns) == len(names) and (like == names or all(re.fullmatch(r"(f|Column_)\d+", name) for name in names)):
        return columns
    raise Refused(f"the frame has no column {next(n for n in names if n not in frame.columns)}, which is a feature of the model")


def is_category(series: pd.Series) -> bool:
    return isinstance(series.dtype, pd.CategoricalDtype)


def is_text(series: pd.Series) -> bool:
    return pd.api.types.is_object_dtype(series) or pd.api.types.is_string_dtype(series)


def category_text(name: str, value: Any) -> str:
    if isinstance(value, bool | np.bool_) or not isinstance(value, str | int | np.integer):
        raise Refused(f"feature {name}: a category that is {value!r}; kscore's are texts (or whole numbers, as text)")
    if re.search(r"[\0\r\n]", str(value)):
        raise Refused(f"feature {name}: the category {value!r} has a line's end in it")
    return str(value)


def read_column(name: str, series: pd.Series, stored: list[Any] | None, given: Mapping[str, int]) -> Feature:
    """One column: its type, its values, its table."""
    if is_category(series) or (stored is not None and (is_text(series) or not given)):
        first = {code: text for text, code in reversed(list(given.items()))}  # of several spellings
        order = list(stored or (series.cat.categories if is_category(series) else [first[code] for code in sorted(first)]))
        codes = series.astype(object).map({value: code for code, value in enumerate(order)}).to_numpy(np.float64, na_value=np.nan)
        if (strange := series[np.isnan(codes) & series.notna()]).size:
            raise Refused(f"feature {name}: {strange.iloc[0]} is no category of the model; it has {order[:9]}")
        column = pd.Series(pd.Categorical.from_codes(np.nan_to_num(codes, nan=-1).astype(int), order), series.index)
        table = {category_text(name, value): code for code, value in enumerate(order)}
        if wrong := [text for text, code in given.items() if table.get(text, code) != code]:
            raise Refused(f"feature {name}: {wrong[0]} is {table[wrong[0]]} in the model, {given[wrong[0]]} in categories=")
        return Feature(name, "", "category", codes, column, table | dict(given))
    if is_text(series) and not given:
        raise Refused(f"feature {name}: the column holds text; make it a pandas category, or say its codes in categories=")
    column = series.map(given) if is_text(series) else series
    if not pd.api.types.is_numeric_dtype(column):  # of which booleans are
        raise Refused(f"feature {name}: a column of {series.dtype}; features are numbers, booleans or categories")
    exact = column.to_numpy(np.float64, na_value=np.nan)
    with np.errstate(over="ignore"):
        values = exact.astype(np.float32).astype(np.float64)
    if np.isinf(values).any():
        raise Refused(f"feature {name}: infinite as float32 in row {np.isinf(values).argmax()}; kscore refuses such events")
    if given and len(strange := set(values[~np.isnan(values)]) - set(given.values())):
        raise Refused(f"feature {name}: code {min(strange):g} is not in categories=")
    kind = "category" if given else "boolean" if pd.api.types.is_bool_dtype(column) else "number"
    return Feature(name, "", kind, values, column if column.dtype == bool else pd.Series(exact, series.index), dict(given))


def check_name(name: str) -> None:
    if not name or name != name.strip() or name[0] in "[;#" or re.search(r"[=\0\r\n]", name):
        raise Refused(f"the feature's name {name!r} cannot stand in model.ini: no = or line's end, no blank around, no [;# before")


STEP = r'[^.\[\]|"=\0\r\n]+'
PATH = re.compile(rf'{STEP}(\.{STEP}|\[\d+\]|\["[^"\0\r\n]*"\])*')


def check_paths(name: str, paths: str) -> str:
    for path in paths.split("|"):
        if not PATH.fullmatch(path.strip()) or re.search(r"(^|\s)[#;](\s|$)", path):
            raise Refused(f"feature {name}: {path.strip()!r} is no path in an event (a.b, a[0], a[\"key\"]); say it in paths=")
    return " | ".join(path.strip() for path in paths.split("|"))


def read_features(model: Model, frame: pd.DataFrame, wishes: dict[str, Mapping[str, Any]]) -> list[Feature]:
    columns = find_columns(model.names, frame)
    for what, wish in wishes.items():
        if strange := [name for name in wish if name not in model.names]:
            raise Refused(f"{what}: the model has no feature {strange[0]}")
    features, files = [], {"model.ini", model.file, "golden.jsonl", "reference.json"}
    for i, (name, column) in enumerate(zip(model.names, columns)):
        check_name(name)
        f = read_column(name, frame[column], model.stored.get(i), wishes["categories"].get(name, {}))
        f.paths = check_paths(name, wishes["paths"].get(name, str(column)))
        f.required = wishes["required"].get(name, not np.isnan(f.values).any())
        f.unknown = wishes["unknown"].get(name, model.unknown)
        if f.table:
            stem = re.sub(r"[^\w.-]", "_", name, flags=re.A).lstrip(".") or "table"
            f.file = next(c for c in (f"{stem}.csv", *(f"{stem}-{n}.csv" for n in range(len(files)))) if c not in files)
            files.add(f.file)
        features.append(f)
    return features


# ------------------------------------------------------------------------------------------------ golden


def pick(rows: np.ndarray, score: np.ndarray, features: list[Feature]) -> list[int]:
    """Half of them a spread of scores; then each feature missing, first, last and rarest categories, smallest and largest
    numbers; the rest spread over the frame."""
    order = np.argsort(score, kind="stable")
    picked = list(order[np.linspace(0, len(rows) - 1, GOLDEN_LINES // 2).astype(int)])
    edges: list[Any] = []
    for column, f in zip(rows.T, features):
        picked += list(np.flatnonzero(np.isnan(column))[:1])
        if np.isnan(column).all():
            continue
        if f.table:
            codes, counts = np.unique(column[~np.isnan(column)], return_counts=True)
            picked += [np.flatnonzero(column == c)[0] for c in (codes[0], codes[-1], codes[counts.argmin()])]
        else:
            edges += [np.nanargmin(column), np.nanargmax(column)]
    spread = np.linspace(0, len(rows) - 1, GOLDEN_LINES).astype(int)
    return sorted(list(dict.fromkeys(int(i) for i in [*picked, *edges, *spread]))[:GOLDEN_LINES])


def put(event: dict[str, Any], path: str, value: Any) -> None:
    """Makes the fields on the way."""
    steps = [key or name for key, name in re.findall(r'\["([^"]*)"\]|([^.\[\]]+)', path)]
    for step in steps[:-1]:
        event = event.setdefault(step, {})
    if re.search(r"\[\d", path) or not isinstance(event, dict) or steps[-1] in event:
        raise Refused(f"events cannot be made up for the path {path}: pass those of the rows, events=")
    event[steps[-1]] = value


def make_event(features: list[Feature], row: int) -> dict[str, Any]:
    event: dict[str, Any] = {}
    for f in features:
        value: Any = f.values[row]
        if np.isnan(value):
            value = None
        elif f.table:
            value = next(text for text, code in f.table.items() if code == value)
        elif f.type == "boolean":
            value = bool(value)
        else:
            value = float(f.column.iloc[row])
        put(event, f.paths.split(" | ")[0], value)
    return event


def plain(value: Any) -> Any:
    """An event as JSON has it: NaN is null, numpy's scalars are numbers."""
    if isinstance(value, Mapping):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(v) for v in value]
    value = value.item() if isinstance(value, np.generic) else value
    return None if value is pd.NA or value is pd.NaT or value != value else value


def number(value: Any) -> Any:
    """What reads back to the same float: float32 in nine digits, null for NaN; of several outputs a list."""
    if np.ndim(value):
        return [number(v) for v in value]
    if np.isnan(value):
        return None
    return float(f"{value:.9g}") if value.dtype == np.float32 else float(value)


def write_golden(
    path: Path, picked: list[int], rows: np.ndarray, features: list[Feature], scored: Scores, event_of: Callable[[int], Any]
) -> int:
    """How many of the lines have an event."""
    must = np.array([f.required for f in features])
    lines = []
    for i in picked:
        line = {} if scored[0] is None else {"margin": number(scored[0][i])}
        line |= {"score": number(scored[1][i]), "row": number(rows[i])}
        if not np.isnan(rows[i][must]).any():  # else the event is to be refused
            line["event"] = plain(event_of(i))
        lines.append(asked("events", lambda: json.dumps(line, ensure_ascii=False, allow_nan=False, separators=(",", ":"))))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return sum('"event":' in line for line in lines)


# --------------------------------------------------------------------------------------------- reference


def describe(values: np.ndarray) -> dict[str, Any]:
    """At most 20 bins of about equal share; x is in bin number count(edges <= x)."""
    values = values.astype(np.float32)
    present = values[~np.isnan(values)]
    edges = np.unique(np.quantile(present, np.arange(1, 20) / 20, method="nearest")) if len(present) else present
    counts = np.bincount(np.searchsorted(edges, present, "right"), minlength=len(edges) + 1)
    return {"kind": "number", "edges": number(edges), "counts": counts.tolist(), "missing": int(np.isnan(values).sum())}


def describe_codes(values: np.ndarray, table: dict[str, int]) -> dict[str, Any]:
    codes = values[~np.isnan(values)].astype(int)
    counts = np.bincount(codes, minlength=max(table.values()) + 1)
    return {"kind": "category", "counts": counts.tolist(), "missing": int(np.isnan(values).sum())}


def write_reference(path: Path, features: list[Feature], score: np.ndarray, period: Sequence[str] | None) -> None:
    document: dict[str, Any] = {"rows": len(score)}
    document |= dict(zip(("from", "to"), period)) if period else {}
    document["score"] = describe(score)
    document["features"] = {f.name: describe_codes(f.values, f.table) if f.table else describe(f.values) for f in features}
    text = json.dumps(document, indent=1, ensure_ascii=False)
    text = re.sub(r"\[[^\[\]{}\"]*\]", lambda m: " ".join(m[0].split()).replace("[ ", "[").replace(" ]", "]"), text)
    path.write_text(text + "\n", encoding="utf-8")


# --------------------------------------------------------------------------------------------- model.ini


def decisions(thresholds: Any, below: str | None) -> dict[str, str]:
    """Of "0.5 review, 0.9 block", or {0.5: "review", 0.9: "block"}."""
    if isinstance(thresholds, str):
        parts = [re.fullmatch(r"\s*([-+.\deE]+)\s+(\S.*)", part) for part in thresholds.split(",")]
        if not all(parts):
            raise Refused(f"thresholds are written 0.5 review, 0.9 block: {thresholds}")
        thresholds = {float(part[1]): part[2].strip() for part in parts if part}
    if bool(thresholds) != bool(below):
        raise Refused("thresholds and below (the decision below the first) go together")
    if not thresholds:
        return {}
    starts = [float(start) for start in thresholds]
    if starts != sorted(set(starts)) or not np.isfinite(starts).all() or any("," in d for d in thresholds.values()):
        raise Refused(f"thresholds must rise, and their decisions hold no comma: {thresholds}")
    listed = ", ".join(f"{start!r} {decision}" for start, decision in zip(starts, thresholds.values()))
    return {"thresholds": listed, "below": str(below)}


def write_ini(folder: Path, model: Model, head: dict[str, Any], output: dict[str, Any], features: list[Feature]) -> None:
    sha256 = hashlib.sha256((folder / model.file).read_bytes()).hexdigest()
    head = {**head, "format": model.format, "file": model.file, "sha256": sha256}
    if model.close:
        head |= {"exactness": "close", "tolerance": model.close}
    lines = []
    for title, keys in (("model", head), ("output", output), ("features", {f.name: f.line() for f in features})):
        width = max(map(len, keys))
        lines += [f"[{title}]", *(f"{key:<{width}} = {value}" for key, value in keys.items() if value is not None), ""]
    for line in lines:
        if re.search(r"[\0\r\n]", line) or re.search(r'^[^"]*\s[#;](\s|$)', line) or line != line.rstrip():
            raise Refused(f"cannot stand in model.ini: {line!r}")
    (folder / "model.ini").write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")


def write_table(path: Path, table: dict[str, int]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("value", "code"), *table.items()])


# ------------------------------------------------------------------------------------------------- proof


def prove_file(model: Model, fitted: Scores, saved: Scores) -> None:
    """The file gives what the model gives."""
    for what, a, b in zip(("margin", "score"), fitted, saved):
        if a is None or b is None:
            continue
        scale = model.tolerance * max(1.0, float(np.abs(a).max()))
        same = np.isclose(b, a, rtol=model.tolerance, atol=scale) if model.tolerance else np.equal(a, b)
        if a.shape != b.shape or not same.all():
            at = np.argwhere(~same)[0][0] if a.shape == b.shape else 0
            raise Refused(f"{model.what}: the file gives other scores than the model: {what} {at} is {b[at]}, must be {a[at]}")


def steps_apart(a: np.ndarray, b: np.ndarray) -> int:
    """Units in the last place of float32, at most."""
    bits = [x.astype(np.float32).view(np.int32).astype(np.int64) for x in (a, b)]
    lines = [np.where(x < 0, -(x & 0x7FFFFFFF), x) for x in bits]
    return int(np.abs(lines[0] - lines[1]).max())


def prove_kscore(program: Path, folder: Path, rows: np.ndarray, scored: Scores) -> None:
    """kscore loads the bundle, its golden rows and events hold, and every row of the frame has its score."""

    def ask(*arguments: Any, rows: bytes = b"") -> bytes:
        done = subprocess.run([program, *arguments], input=rows, capture_output=True)
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
            raise Refused(f"{program} refuses the bundle: {said[-1]}")
        return done.stdout

    ask("model", folder)
    for what, want, limit in (("margin", scored[0], 0), ("prediction", scored[1], 1)):
        if want is None:
            continue
        raw = ask("score", "--model", folder, "-i", "f32le", "-o", "f64le", "--output", what, rows=rows.astype("<f4").tobytes())
        got = np.frombuffer(raw, "<f8").astype(want.dtype)
        flat = want.reshape(-1)
        if got.shape != flat.shape:
            raise Refused(f"{program} gives {len(got)} {what}s, must be {len(flat)}")
        if not np.array_equal(got, flat) and (limit == 0 or steps_apart(got, flat) > limit):
            at = int(np.argmax(got != flat))
            raise Refused(f"{program}: {what} {at} is {got[at]!r}, must be {flat[at]!r}")


def find_kscore(check: Any) -> Path | None:
    """check: a path, None to look for it, False not to."""
    if check is False:
        return None
    if check is not None:
        if not (found := shutil.which(check)):
            raise Refused(f"{check}: no program")
        return Path(found)
    beside = Path(__file__).resolve().parents[1] / "build/release/kscore"
    return Path(found) if (found := shutil.which("kscore")) else beside if beside.exists() else None


# -------------------------------------------------------------------------------------------------- call


def make_bundle(
    model: Any, frame: pd.DataFrame, out: str | Path, *, name: str, version: Any, kind: str | None = None,
    output_name: str | None = None, thresholds: Any = None, below: str | None = None,
    events: Sequence[dict[str, Any]] | None = None, paths: Mapping[str, str] | None = None,
    required: Mapping[str, bool] | Sequence[str] | None = None, unknown: Mapping[str, str] | None = None,
    categories: Mapping[str, Mapping[str, int]] | None = None, y: Any = None, period: Sequence[str] | None = None,
    index: int | None = None, file: str | Path | None = None, replace: bool = False, check: Any = None,
) -> Path:  # fmt: skip
    """Writes the bundle `out`; Refused, with one line, where it cannot be, and then nothing is left behind.

    kind         what the score is: probability, value (as the library's predict) or margin
    thresholds   "0.5 review, 0.9 block" or {0.5: "review", 0.9: "block"}; below: the decision below the first
    events       the JSON object behind each row of the frame; None: made up, column = field
    paths        {feature: "weather.temp | temp"}, where the field is not called as the column
    required     {feature: False}, or a list of features; unless said, what the frame never lacks is required
    unknown      {feature: "missing" or "error"}: a text that the table does not have; unless said, as the library has it
    categories   {feature: {text: code}}: for a model that was trained on codes, or more spellings of what it knows
    y            the truth of each row: its mean is printed beside the score's
    period       the frame's first and last day, for reference.json
    index        which of several outputs is the score, from 0
    file         the model's own file, to be copied as it is; None: it is saved by the library here
    check        path of kscore; None: it is looked for; False: not asked
    """
    out, program = Path(out), find_kscore(check)
    if out.exists() and not replace:
        raise Refused(f"{out} is there already: a new version is a new folder (replace=True takes its place)")
    if not frame.columns.is_unique or len(frame) == 0 or any(v is not None and len(v) != len(frame) for v in (events, y)):
        raise Refused("the frame needs a row and no column twice, and events and y an entry for each row")
    required = required if isinstance(required, Mapping) else dict.fromkeys(required or (), True)
    wishes = {"paths": paths or {}, "required": required, "unknown": unknown or {}, "categories": categories or {}}
    m = adapt(model, frame)
    features = read_features(m, frame, wishes)
    rows = np.column_stack([f.values for f in features]).astype(np.float32)
    event_of = events.__getitem__ if events is not None else lambda i: make_event(features, i)
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = out.with_name(f".{out.name}.{os.getpid()}")
    folder.mkdir()
    try:
        if file:
            m.file = Path(file).name
            shutil.copyfile(file, folder / m.file)
        else:
            asked(m.what, m.save, folder / m.file)
        scored = asked(m.what, m.saved, folder / m.file, rows)
        rounded = asked(m.what, m.fitted, columns_of(features, is_rounded=True))
        prove_file(m, rounded, scored)
        score = pick_output(m, scored, kind or m.kind, index)
        output = {"kind": kind or m.kind, "name": output_name or name, "index": index, **decisions(thresholds, below)}
        for f in features:
            if f.table:
                write_table(folder / f.file, f.table)
        picked = pick(rows, score, features)
        with_event = write_golden(folder / "golden.jsonl", picked, rows, features, scored, event_of)
        write_reference(folder / "reference.json", features, score, period)
        write_ini(folder, m, {"name": name, "version": version}, output, features)
        if program:
            prove_kscore(program, folder, rows, scored)
        move(folder, out)
    except Refused as e:
        raise Refused(str(e).replace(str(folder), str(out))) from e.__cause__
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for note in [*m.notes, *rounding_notes(m, features, rounded)]:
        print(f"kscore-bundle: note: {note}", file=sys.stderr)
    truth = "" if y is None else f"; the score is {score.mean():.4g} on average, the truth {np.mean(np.asarray(y, np.float64)):.4g}"
    proof = f"proven by {program}" if program else "not seen by kscore"
    print(f"{out}: {m.what}, {len(features)} features, {len(picked)} golden lines ({with_event} with an event), {proof}{truth}")
    return out


def pick_output(model: Model, scored: Scores, kind: str, index: int | None) -> np.ndarray:
    """What `score` will be."""
    found = {"probability": scored[1], "value": scored[1], "margin": scored[0]}.get(kind)
    if found is None:
        raise Refused(f"kind {kind}: it is probability, value or margin (which {model.what} does not tell)")
    count = 1 if found.ndim == 1 else found.shape[1]
    if (index is None and count > 1) or not 0 <= (index or 0) < count:
        raise Refused(f"the model has {count} outputs: index says which of them, from 0, is the score")
    return found if found.ndim == 1 else found[:, index]


def columns_of(features: list[Feature], is_rounded: bool) -> pd.DataFrame:
    """The frame as the model takes it; rounded: its numbers as kscore reads them."""
    numbers = {f.name: pd.Series(f.values, f.column.index) for f in features if is_rounded and f.type == "number"}
    return pd.DataFrame({f.name: numbers.get(f.name, f.column) for f in features})


def rounding_notes(model: Model, features: list[Feature], rounded: Scores) -> list[str]:
    wide = [f.name for f in features if f.type == "number" and not np.array_equal(f.values, f.column, equal_nan=True)]
    if not wide:
        return []
    exact = asked(model.what, model.fitted, columns_of(features, is_rounded=False))[1]
    apart = np.abs(exact - rounded[1]).reshape(len(exact), -1).max(axis=1)
    count = f"{(apart > 0).sum()} of {len(apart)} scores differ, by {apart.max():.2g} at most"
    return [f"kscore rounds numbers to float32, once: {count}"] if apart.any() else []


def move(folder: Path, out: Path) -> None:
    """There is never half a bundle: the old one, if any, steps aside whole."""
    aside = folder.with_name(folder.name + ".old")
    if out.exists():
        out.rename(aside)
    folder.rename(out)
    shutil.rmtree(aside, ignore_errors=True)


# ----------------------------------------------------------------------------------------------- command


def load_model(path: Path) -> Any:
    """By content, as kscore does."""
    start = path.read_bytes()[:64]
    if start.startswith(b"tree"):
        import lightgbm as lgb

        return lgb.Booster(model_file=str(path))
    if start.startswith(b"{") and b'"kscore-linear"' not in start:
        import xgboost as xgb

        return xgb.Booster(model_file=str(path))
    raise Refused(f"{path}: no XGBoost JSON or UBJSON and no LightGBM text; other models: call make_bundle where they are trained")


def load_table(path: str) -> dict[str, int]:
    with open(path, encoding="utf-8", newline="") as file:
        return {row["value"]: int(row["code"]) for row in csv.DictReader(file)}


def pairs(values: list[str]) -> dict[str, str]:
    """NAME=VALUE each."""
    if wrong := [value for value in values if "=" not in value]:
        raise Refused(f"{wrong[0]}: written NAME=VALUE")
    return dict(value.split("=", 1) for value in values)


EPILOG = """
examples:
  kscore-bundle --model model.ubj --data rows.parquet --out models/fraud-7 --name fraud --version 7 \\
      --thresholds "0.5 review, 0.9 block" --below pass
  kscore-bundle --model model.txt --data rows.csv --events events.jsonl --out models/delay-3 --name delay --version 3 \\
      --path "distance=distance | distance_miles" --path temp=weather.temp --optional temp --unknown dest=missing

Row i of the data is what the model takes, line i of the events what it was made from. Parquet keeps categories; in CSV text
is one where the model stores its categories, or where --table says the codes. What the data never lacks is required.
The file is copied as it is, all its rounds count. In a training script, and for scikit-learn: from kscore_bundle import
make_bundle. Exit code: 0, 64 wrong usage, 65 refused (one line says why, and no folder is left behind).
"""


def read_arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(
        prog="kscore-bundle", description="From a model file and rows to a bundle that kscore runs.", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    p.error = lambda text: p.exit(64, f"kscore-bundle: {text}; see kscore-bundle --help\n")  # type: ignore[method-assign]

    def add(option: str, metavar: str | None, text: str, **more: Any) -> None:
        p.add_argument(option, help=text, **({"metavar": metavar} if metavar else {}), **more)

    many = {"action": "append", "default": []}
    add("--model", "FILE", "XGBoost JSON or UBJSON, or LightGBM text", type=Path, required=True)
    add("--data", "FILE", "rows of features: .parquet, else CSV with a heading", type=Path, required=True)
    add("--events", "FILE", "JSON lines, one for each row; without it: column = field", type=Path)
    add("--out", "FOLDER", "the bundle; it must not be there", type=Path, required=True)
    add("--name", None, "of the model; versions of one model share it", required=True)
    add("--version", None, "any text", required=True)
    add("--kind", None, "what the score is; unless said, by the objective", choices=["probability", "value", "margin"])
    add("--output-name", "NAME", "what the score is called; unless said, as the model")
    add("--index", "N", "which of several outputs is the score, from 0", type=int)
    add("--thresholds", "LIST", '"0.5 review, 0.9 block": a decision from that score on')
    add("--below", "DECISION", "the decision below the first threshold")
    add("--path", "NAME=PATHS", 'where a feature is in an event: "temp=weather.temp | temp"', **many)
    add("--table", "NAME=CSV", "value,code: codes of a category, or more spellings", **many)
    add("--required", "NAME", "events without it are dead letters", **many)
    add("--optional", "NAME", "events without it are scored", **many)
    add("--unknown", "NAME=error|missing", "what becomes of a text that the table lacks", **many)
    add("--check", "KSCORE", "the program to prove it with; unless said, kscore in PATH")
    add("--no-check", None, "do not ask kscore", action="store_true")
    add("--replace", None, "take the place of a bundle that is there", action="store_true")
    return p.parse_args()


def run(a: argparse.Namespace) -> None:
    frame = pd.read_parquet(a.data) if a.data.suffix == ".parquet" else pd.read_csv(a.data)
    events = [json.loads(line) for line in a.events.read_text("utf-8").splitlines()] if a.events else None
    make_bundle(
        load_model(a.model), frame, a.out, name=a.name, version=a.version, kind=a.kind, output_name=a.output_name,
        thresholds=a.thresholds, below=a.below, events=events, paths=pairs(a.path), unknown=pairs(a.unknown),
        required={n: True for n in a.required} | {n: False for n in a.optional},
        categories={n: load_table(path) for n, path in pairs(a.table).items()},
        index=a.index, file=a.model, replace=a.replace, check=False if a.no_check else a.check,
    )  # fmt: skip


def main() -> int:
    a = read_arguments()
    try:
        run(a)
    except (ValueError, ImportError, OSError) as e:  # of which Refused and what JSON and CSV are not
        print(f"kscore-bundle: {e}", file=sys.stderr)
        return 74 if isinstance(e, OSError) else 65
    return 0


if __name__ == "__main__":
    sys.exit(main())
