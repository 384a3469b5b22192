"""Trains models with the LightGBM at hand and writes what it says about them; started by lightgbm_versions.py.

    lightgbm_cases.py FOLDER

Writes for each case NAME.txt, NAME.rows.f32le, NAME.margin.f64le, NAME.pred.f64le and, where the version tells them,
NAME.contributions.f64le, and index.json: {"NAME.txt": "scores"}, or
"refused" for what kscore must not score, or why this version could not make the case.
"""
from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
VERSION = tuple(int(part) for part in lgb.__version__.split(".")[:3])
COUNT, WIDTH = 1200, 8
CODES = 100  # more categories than fit a word
CATEGORICAL = [2, 3]
DEFAULTS = {"verbose": -1, "num_threads": 1, "num_leaves": 15, "learning_rate": 0.3, "min_data_in_leaf": 5, "seed": 1, "metric": "none"}


def make_data(categorical: bool, missing: float) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Rows with zeros, few-valued and constant columns, some missing; labels of each kind."""
    random = np.random.RandomState(7)
    x = random.randn(COUNT, WIDTH).astype(np.float32)
    x[:, 5] = random.randint(0, 5, COUNT)
    x[:, 6] *= random.rand(COUNT) < 0.3
    x[:, 7] = 1
    if categorical:
        x[:, 2] = random.randint(0, 6, COUNT)
        x[:, 3] = random.randint(0, CODES, COUNT)
    signal = np.nan_to_num(x[:, 0] * x[:, 1] + np.sin(x[:, 2]) + (x[:, 3] % 3) + 0.3 * x[:, 5] + x[:, 6])
    x[random.rand(COUNT, WIDTH) < missing] = np.nan
    noisy = signal + 0.5 * random.randn(COUNT)
    positive = np.exp(noisy / 4)
    return x, {
        "yes": (noisy > np.median(noisy)).astype(float),
        "share": 1 / (1 + np.exp(-noisy)),
        "real": noisy,
        "positive": positive,
        "count": np.floor(positive * 2),
        "class": np.floor(np.argsort(np.argsort(noisy)) * 4 / COUNT),
        "ones": np.ones(COUNT),
        "zeros": np.zeros(COUNT),
    }


def make_rows(x: np.ndarray, text: str, categorical: bool) -> np.ndarray:
    """Some of the rows, odd ones, and each threshold of the model with its neighbours."""
    tiny = np.float32(1e-35)
    odd = [np.nan, 0.0, -0.0, np.inf, -np.inf, 3e38, -3e38, 1e-45, -1e-45, tiny, -tiny, np.nextafter(tiny, np.float32(1)),
           np.nextafter(-tiny, np.float32(-1)), 1e-20, -1e-20, 1e-15, 0.5, -0.5, 2.5, -1.0, 7.0, 16777216.0, 2147483648.0, 5e9]  # fmt: skip
    rows = [x[:200], np.repeat(np.float32(odd)[:, None], WIDTH, 1)]
    near = [v for line in text.splitlines() if line.startswith("threshold=") for v in line[10:].split()]
    near = np.array(near, np.float64).astype(np.float32)
    near = near[np.isfinite(near)][:300]
    for cells in (near, np.nextafter(near, np.float32(-np.inf)), np.nextafter(near, np.float32(np.inf))):
        rows.append(np.repeat(cells[:, None], WIDTH, 1))
    random = np.random.RandomState(3)
    if len(near):  # thresholds met one feature at a time too
        mixed = random.choice(near, (300, WIDTH)).astype(np.float32)
        mixed[random.rand(300, WIDTH) < 0.1] = np.nan
        mixed[random.rand(300, WIDTH) < 0.1] = 0
        rows.append(mixed)
    if categorical:
        codes = x[:200].copy()
        codes[:, CATEGORICAL] = random.randint(-2, 140, (200, 2)) + random.choice([0, 0.25], (200, 2))
        rows.append(codes)
    return np.ascontiguousarray(np.vstack(rows), np.float32)


class Cases:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index: dict[str, str] = {}

    def train(self, params: dict, label: str = "yes", rounds: int = 12, categorical: bool = False, missing: float = 0.1, **more):
        x, labels = make_data(categorical, missing)
        frame = more.pop("frame", None)
        data = {"label": labels[label], "free_raw_data": False, **more.pop("data", {})}
        if categorical and frame is None:
            data["categorical_feature"] = CATEGORICAL
        if params.get("objective") in ("lambdarank", "rank_xendcg"):
            data["group"] = [20] * (COUNT // 20)
        # Without it 2.x takes trees of one leaf for the end; what is parameter of the data must be there at once.
        params = {**DEFAULTS, **params}
        d = lgb.Dataset(x if frame is None else frame(x), params=params, **data)
        return lgb.train(params, d, rounds, **more)

    def write(self, name: str, booster, categorical: bool, missing: float, kind: str, edit=None, save: dict | None = None) -> None:
        """Saves, loads anew (the file may have lost digits of a parameter), predicts."""
        file = self.folder / f"{name}.txt"
        booster.save_model(str(file), **(save or {}))
        if edit:
            file.write_text(edit(file.read_text()))
        rows = make_rows(make_data(categorical, missing)[0], file.read_text(), categorical)
        fresh = lgb.Booster(model_file=str(file))
        rows.tofile(self.folder / f"{name}.rows.f32le")
        fresh.predict(rows, raw_score=True).astype("<f8").tofile(self.folder / f"{name}.margin.f64le")
        fresh.predict(rows).astype("<f8").tofile(self.folder / f"{name}.pred.f64le")
        try:
            np.asarray(fresh.predict(rows, pred_contrib=True)).astype("<f8").tofile(self.folder / f"{name}.contributions.f64le")
        except Exception:  # none of linear trees
            pass
        self.index[file.name] = kind

    def case(self, name: str, make, categorical: bool = False, missing: float = 0.1, kind: str = "scores", **more) -> None:
        try:
            self.write(name, make(), categorical, missing, kind, **more)
        except Exception as e:  # the version does not know an objective, a parameter, a call
            self.index[name] = f"not in this version: {str(e).strip().splitlines()[0][:90] if str(e) else type(e).__name__}"

    def add(self, name: str, params: dict, label: str = "yes", kind: str = "scores", **more) -> None:
        save = {k: more.pop(k) for k in ("edit", "save") if k in more}
        self.case(name, lambda: self.train(params, label, **more), more.get("categorical", False), more.get("missing", 0.1), kind, **save)


OBJECTIVES = [
    ("regression", "real"), ("regression_l1", "real"), ("huber", "real"), ("fair", "real"), ("quantile", "real"), ("mape", "positive"),
    ("poisson", "count"), ("gamma", "positive"), ("tweedie", "count"), ("binary", "yes"), ("multiclass", "class"),
    ("multiclassova", "class"), ("xentropy", "share"), ("xentlambda", "share"), ("lambdarank", "class"), ("rank_xendcg", "class"),
]  # fmt: skip
FOREST = {"boosting": "rf", "bagging_fraction": 0.7, "bagging_freq": 1}


def with_objective(objective: str) -> dict:
    return {"objective": objective, **({"num_class": 4} if objective.startswith("multi") else {})}


def forest_kind(objective: str) -> str:
    """2.2 does not say in the file whether the link is applied to a forest; before, it was not."""
    links = ("poisson", "gamma", "tweedie", "binary", "multiclass", "multiclassova", "xentropy", "xentlambda")
    return "refused" if (2, 2) <= VERSION[:2] < (2, 3) and objective in links else "scores"


def objectives(c: Cases) -> None:
    for objective, label in OBJECTIVES:
        params = with_objective(objective)
        c.add(objective, params, label)
        c.add(f"{objective}_whole", params, label, missing=0)
        c.add(f"{objective}_forest", {**params, **FOREST}, label, kind=forest_kind(objective))
        c.add(f"{objective}_dart", {**params, "boosting": "dart", "drop_rate": 0.5}, label)
        c.add(f"{objective}_linear", {**params, "linear_tree": True}, label)
        c.add(f"{objective}_categorical", params, label, categorical=True)
        c.add(f"{objective}_far", {**params, "learning_rate": 8, "lambda_l2": 0}, label)
        c.add(f"{objective}_from_0", {**params, "boost_from_average": False}, label)
        for constant in ("ones", "zeros"):
            c.add(f"{objective}_{constant}", params, constant, rounds=3)
    for objective in ("regression", "regression_l1", "fair", "quantile", "mape"):
        c.add(f"{objective}_sqrt", {"objective": objective, "reg_sqrt": True}, "real")
        c.add(f"{objective}_sqrt_forest", {"objective": objective, "reg_sqrt": True, **FOREST}, "real", kind=forest_kind("binary"))
    for sigmoid in (0.7, 1.5, 1.23456789, 0.000123456, 12.3456, 3e-7):
        c.add(f"binary_sigmoid_{sigmoid}", {"objective": "binary", "sigmoid": sigmoid})
        c.add(f"ova_sigmoid_{sigmoid}", {**with_objective("multiclassova"), "sigmoid": sigmoid}, "class")

    def custom(classes: int):
        def gradients(scores, data):
            want = data.get_label() if classes == 1 else (data.get_label()[:, None] == np.arange(classes)).astype(float).T.ravel()
            return (np.asarray(scores).T.ravel() - want).reshape(np.shape(scores)), np.ones(np.shape(scores))

        params = {} if classes == 1 else {"num_class": classes}
        if VERSION >= (4, 0):
            def flat(scores, data):
                if classes == 1:
                    return gradients(scores, data)
                want = (data.get_label()[:, None] == np.arange(classes)).astype(float)
                return scores - want, np.ones_like(scores)

            return c.train({**params, "objective": flat}, "class" if classes > 1 else "real")
        return c.train({**params, "objective": "none"}, "class" if classes > 1 else "real", fobj=gradients)

    c.case("custom", lambda: custom(1))
    c.case("custom_classes", lambda: custom(4))


def shapes(c: Cases) -> None:
    yes = {"objective": "binary"}
    for missing in (0, 0.1):
        for name, params in {"zero_as_missing": {"zero_as_missing": True}, "no_missing": {"use_missing": False}, "bins": {"max_bin": 15},
                             "bundles": {"enable_bundle": False, "min_data_in_bin": 1}, "linear": {"linear_tree": True}}.items():  # fmt: skip
            for categorical in (False, True):
                c.add(f"{name}_{missing}_{categorical}", {**yes, **params}, missing=missing, categorical=categorical)
    c.add("one_hot", {**yes, "max_cat_to_onehot": 200}, categorical=True)
    c.add("many_vs_many", {**yes, "max_cat_to_onehot": 1, "cat_smooth": 1, "min_data_per_group": 5, "cat_l2": 0}, categorical=True, rounds=40)
    c.add("deep", {**yes, "num_leaves": 300, "min_data_in_leaf": 1})
    c.add("stumps", {**yes, "num_leaves": 2}, rounds=150)
    c.add("depth", {**yes, "max_depth": 3})
    c.add("nothing", {**yes, "min_data_in_leaf": 5000})
    c.add("many", yes, rounds=400)
    c.add("goss", {**yes, "boosting": "goss"}, rounds=30)
    c.add("goss_strategy", {**yes, "data_sample_strategy": "goss"}, rounds=30)
    c.add("extra", {**yes, "extra_trees": True})
    c.add("monotone", {**yes, "monotone_constraints": [1, -1, 0, 0, 0, 0, 0, 0]})
    c.add("smooth", {**yes, "path_smooth": 3, "feature_fraction_bynode": 0.5})
    c.add("quantised", {**yes, "use_quantized_grad": True, "quant_train_renew_leaf": True})
    c.add("weights", {**yes, "scale_pos_weight": 3.5, "max_delta_step": 0.7, "lambda_l1": 0.2}, data={"weight": np.linspace(0.1, 3, COUNT)})
    c.add("init_score", yes, data={"init_score": np.linspace(-1, 1, COUNT)})
    c.add("names", yes, data={"feature_name": [f"n-{i}=+%&;#'" for i in range(WIDTH)]})
    c.add("names_beyond_ascii", yes, data={"feature_name": [f"größe_{i}" for i in range(WIDTH)]})
    c.add("first_rounds", yes, rounds=30, save={"num_iteration": 7})
    c.add("some_rounds", yes, rounds=30, save={"start_iteration": 3, "num_iteration": 7})
    c.add("stale_sizes", yes, edit=lambda text: text, save={"num_iteration": 5})
    c.add("linear_lambda", {"objective": "regression", "linear_tree": True, "linear_lambda": 0.1}, "real", rounds=40, missing=0)
    c.add("linear_forest", {"objective": "regression", "linear_tree": True, **FOREST}, "real")
    c.add("linear_dart", {"objective": "regression", "linear_tree": True, "boosting": "dart", "drop_rate": 0.5}, "real")

    def continued():
        first = c.train(yes, rounds=5)
        return c.train({**yes, "num_leaves": 4}, rounds=5, init_model=first)

    def refitted():
        x, labels = make_data(False, 0.1)
        return c.train(yes).refit(x[::-1], labels["yes"])

    def classifier():
        x, labels = make_data(False, 0.1)
        return lgb.LGBMClassifier(n_estimators=8, n_jobs=1, verbose=-1).fit(x, labels["class"]).booster_

    def regressor():
        x, labels = make_data(False, 0.1)
        return lgb.LGBMRegressor(n_estimators=8, n_jobs=1, verbose=-1, linear_tree=VERSION >= (3, 2)).fit(x, labels["real"]).booster_

    for make in (continued, refitted, classifier, regressor):
        c.case(make.__name__, make)

    def frame(x: np.ndarray) -> pd.DataFrame:
        f = pd.DataFrame({f"c{i}": x[:, i] for i in range(WIDTH)})
        for i in CATEGORICAL:
            f[f"c{i}"] = pd.Categorical.from_codes(np.nan_to_num(x[:, i], nan=-1).astype(int), [f'k{k:03} "é"' for k in range(CODES)])
        return f

    c.add("pandas", yes, categorical=True, frame=frame)
    c.add("pandas_forest", {"objective": "regression", **FOREST}, "real", categorical=True, frame=frame)


if __name__ == "__main__":
    cases = Cases(Path(sys.argv[1]))
    objectives(cases)
    shapes(cases)
    (cases.folder / "index.json").write_text(json.dumps(cases.index, indent=1))
