"""Trains models with the XGBoost at hand and writes what it says about them; started by xgboost_versions.py.

    xgboost_cases.py FOLDER

Writes for each case NAME.json or NAME.ubj, NAME.rows.f32le, NAME.margin.f32le and NAME.pred.f32le, for some
NAME.N.margin.f32le of the first N rounds, and index.json: {"name": "scores"}, or "refused" for what kscore must not
score, or why this version could not make the case.
"""
from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path

import numpy as np
import xgboost as xgb

warnings.filterwarnings("ignore")
VERSION = tuple(int(part) for part in xgb.__version__.split(".")[:3])
COUNT, WIDTH = 1200, 8
CODES = 100  # more categories than fit a word


def make_data(categorical: bool) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Rows with missing values, few-valued and constant columns; labels of each kind."""
    random = np.random.RandomState(7)
    x = random.randn(COUNT, WIDTH).astype(np.float32)
    x[:, 5] = random.randint(0, 5, COUNT)
    x[:, 6] *= random.rand(COUNT) < 0.1
    x[:, 7] = 1
    if categorical:
        x[:, 2] = random.randint(0, 6, COUNT)
        x[:, 3] = random.randint(0, CODES, COUNT)
    signal = np.nan_to_num(x[:, 0] * x[:, 1] + np.sin(x[:, 2]) + (x[:, 3] % 3) + 0.3 * x[:, 5])
    x[random.rand(COUNT, WIDTH) < 0.1] = np.nan
    noisy = signal + 0.5 * random.randn(COUNT)
    yes = (noisy > np.median(noisy)).astype(np.float32)
    positive = np.exp(noisy / 4).astype(np.float32)
    return x, {
        "yes": yes,
        "real": noisy.astype(np.float32),
        "positive": positive,
        "count": np.floor(positive * 2),
        "censored": np.where(random.rand(COUNT) < 0.3, -positive, positive),
        "class": (np.argsort(np.argsort(noisy)) * 4 // COUNT).astype(np.float32),
        "ones": np.ones(COUNT, np.float32),
        "zeros": np.zeros(COUNT, np.float32),
    }


def make_rows(x: np.ndarray, conditions: list[float], categorical: bool) -> np.ndarray:
    """Some of the rows, odd ones, and each threshold of the model with its two neighbours."""
    odd = [np.nan, 0.0, -0.0, 3e38, -3e38, 1e-45, -1e-45, 1.17549435e-38, 16777216.0, 0.5, 2.5, -1.0, 7.0, 101.0, 2e9]
    rows = [x[:200], np.repeat(np.float32(odd)[:, None], WIDTH, 1)]
    near = np.float32(conditions)
    near = near[np.isfinite(near)][:300]
    for cells in (near, np.nextafter(near, np.float32(-np.inf)), np.nextafter(near, np.float32(np.inf))):
        rows.append(np.repeat(cells[:, None], WIDTH, 1))
    random = np.random.RandomState(3)
    if len(near):  # thresholds met one feature at a time too
        mixed = random.choice(near, (300, WIDTH)).astype(np.float32)
        mixed[random.rand(300, WIDTH) < 0.1] = np.nan
        rows.append(mixed)
    if categorical:
        codes = x[:200].copy()
        codes[:, 2:4] = random.randint(-2, 140, (200, 2)) + random.choice([0, 0.25], (200, 2))
        rows.append(codes)
    return np.ascontiguousarray(np.vstack(rows), np.float32)


class Cases:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index: dict[str, str] = {}
        self.data = {False: make_data(False), True: make_data(True)}

    def matrix(self, x: np.ndarray, categorical: bool, **fields: object) -> xgb.DMatrix:
        if not categorical:
            return xgb.DMatrix(x, **fields)
        types = ["c" if i in (2, 3) else "q" for i in range(WIDTH)]
        return xgb.DMatrix(x, feature_types=types, enable_categorical=True, **fields)

    def train(self, params: dict, label: str = "yes", rounds: int = 12, categorical: bool = False, **more) -> xgb.Booster:
        x, labels = self.data[categorical]
        fields = {} if label == "interval" else {"label": labels[label]}
        d = self.matrix(x, categorical, **fields, **more.pop("fields", {}))
        if label == "interval":
            d.set_float_info("label_lower_bound", labels["positive"])
            d.set_float_info("label_upper_bound", labels["positive"] * 1.5)
        if params.get("objective", "").startswith("rank:"):
            d.set_group([COUNT // 20] * 20)
        defaults = {"seed": 1, "nthread": 1, "verbosity": 0, "max_depth": 4, "eta": 0.4}
        if more.pop("watch", False):
            more["evals"] = [(d, "train")]
        return xgb.train({**defaults, **params}, d, rounds, verbose_eval=False, **more)

    def write(self, name: str, booster: xgb.Booster, categorical: bool, kind: str, edit=None) -> None:
        """Saves, loads anew (or predictions come from a cache), predicts."""
        text = self.folder / f"{name}.json"
        booster.save_model(str(text))
        if edit:
            text.write_text(edit(text.read_text()))
        model = json.loads(text.read_text())
        trees = model["learner"]["gradient_booster"].get("model", {}).get("trees", [])
        if "gbtree" in model["learner"]["gradient_booster"]:  # DART up to 3.2
            trees = model["learner"]["gradient_booster"]["gbtree"]["model"]["trees"]
        conditions = [c for t in trees for c in t["split_conditions"]]
        file = text
        if VERSION >= (1, 6):  # UBJSON is read there; each second case is kept as such
            fresh = xgb.Booster(model_file=str(text))
            if len(self.index) % 2:
                file = self.folder / f"{name}.ubj"
                fresh.save_model(str(file))
                text.unlink()
        fresh = xgb.Booster(model_file=str(file))
        if kind == "scores":
            width = fresh.num_features() if hasattr(fresh, "num_features") else WIDTH
            rows = make_rows(self.data[categorical][0], conditions, categorical)[:, :width]
            rows = np.ascontiguousarray(rows)
            if model["learner"]["gradient_booster"]["name"] == "gblinear":  # else sums overflow
                rows = rows[(np.abs(np.nan_to_num(rows)) < 1e20).all(1)]
            rows.tofile(self.folder / f"{name}.rows.f32le")

            def ask() -> xgb.DMatrix:  # anew for each question: 1.1 goes on from the sums of the last one
                d = self.matrix(rows, categorical and width == WIDTH)
                d.feature_names = fresh.feature_names
                return d

            d = ask()
            margin, prediction = fresh.predict(d, output_margin=True), fresh.predict(d)
            leaves = [c for t in trees for c, left in zip(t["split_conditions"], t["left_children"]) if left == -1]
            if not np.isfinite(leaves).all():  # lambda = 0: each row that comes there has no score
                raise ValueError("leaves that are no numbers")
            if not np.isfinite(margin).all():  # no score at all: labels of zeros with a logarithm
                kind = "refused"
            self.write_rounds(name, fresh, ask, len(trees))
            margin.astype("<f4").tofile(self.folder / f"{name}.margin.f32le")
            prediction.astype("<f4").tofile(self.folder / f"{name}.pred.f32le")
        self.index[file.name] = kind

    def write_rounds(self, name: str, booster: xgb.Booster, ask, tree_count: int) -> None:
        """What the first three rounds say, and those up to the best."""
        if tree_count < 12 or "forest" in name and VERSION < (1, 6):  # does not know its own rounds when it is loaded
            return
        best = int(booster.attributes().get("best_iteration", "-1")) + 1
        if VERSION < (1, 6) and int(booster.attributes().get("best_ntree_limit", best)) != best:
            return  # a forest, too, of which 1.5 forgot it
        for label, count in (("3", 3), ("best", best)):
            if count == 0:
                continue
            some = {"ntree_limit": count} if VERSION < (1, 4) else {"iteration_range": (0, count)}
            margin = booster.predict(ask(), output_margin=True, **some)
            margin.astype("<f4").tofile(self.folder / f"{name}.{label}.margin.f32le")

    def case(self, name: str, make, categorical: bool = False, kind: str = "scores", edit=None) -> None:
        try:
            self.write(name, make(), categorical, kind, edit)
        except Exception as e:  # the version does not know an objective, a parameter, a call
            self.index[name] = f"not in this version: {str(e).strip().splitlines()[0][:90] if str(e) else type(e).__name__}"

    def add(self, name: str, params: dict, label: str = "yes", **more) -> None:
        self.case(name, lambda: self.train(params, label, **more), more.get("categorical", False))

    def refuse(self, name: str, params: dict, label: str = "yes", **more) -> None:
        self.case(name, lambda: self.train(params, label, **more), kind="refused")


OBJECTIVES = [
    ("reg:squarederror", "real"), ("reg:squaredlogerror", "positive"), ("reg:pseudohubererror", "real"),
    ("reg:absoluteerror", "real"), ("reg:quantileerror", "real"), ("reg:expectileerror", "real"), ("reg:logistic", "yes"),
    ("binary:logistic", "yes"), ("binary:logitraw", "yes"), ("binary:hinge", "yes"), ("reg:gamma", "positive"),
    ("reg:tweedie", "count"), ("count:poisson", "count"), ("survival:cox", "censored"), ("survival:aft", "interval"),
    ("rank:pairwise", "class"), ("rank:ndcg", "class"), ("rank:map", "yes"), ("reg:linear", "real"),
]  # fmt: skip


def objectives(c: Cases) -> None:
    for objective, label in OBJECTIVES:
        params: dict = {"objective": objective}
        if objective in ("reg:quantileerror", "reg:expectileerror"):
            params[objective[4:].replace("error", "_alpha")] = 0.3
        name = objective.replace(":", "_")
        c.add(name, params, label)
        c.add(f"{name}_no_trees", params, label, rounds=0)
        for score in (0.2, 0.731) if label == "yes" else (0.2, 3.75):
            c.add(f"{name}_base_{score}", {**params, "base_score": score}, label)
        c.add(f"{name}_forest", {**params, "num_parallel_tree": 3, "subsample": 0.6}, label, rounds=4)
        for constant in ("ones", "zeros"):
            if label in ("yes", "count", "real"):
                c.add(f"{name}_{constant}", params, constant, rounds=3)
    c.add("quantile_of_a_list", {"objective": "reg:quantileerror", "quantile_alpha": [0.9]}, "real")
    c.add("tweedie_power", {"objective": "reg:tweedie", "tweedie_variance_power": 1.8}, "count")
    for score in (1e-7, 0.9999999, 1e-30):
        c.add(f"logistic_base_{score}", {"objective": "binary:logistic", "base_score": score})
    for score in (-3.3, 1e-12, 123456.789, 1e30):
        c.add(f"squarederror_base_{score}", {"objective": "reg:squarederror", "base_score": score}, "real")
    for score in np.random.RandomState(5).lognormal(0, 3, 12).round(7):
        c.add(f"squarederror_odd_{score}", {"objective": "reg:squarederror", "base_score": score}, "real", rounds=1)
    for score in (1e-12, 1e10):
        c.add(f"poisson_base_{score}", {"objective": "count:poisson", "base_score": score}, "count")


def shapes(c: Cases) -> None:
    yes = {"objective": "binary:logistic"}
    c.add("exact", {**yes, "tree_method": "exact"})
    c.add("exact_pruned", {**yes, "tree_method": "exact", "gamma": 3})
    c.add("approx", {**yes, "tree_method": "approx"})
    c.add("hist", {**yes, "tree_method": "hist", "max_bin": 16})
    c.add("lossguide", {**yes, "tree_method": "hist", "grow_policy": "lossguide", "max_depth": 0, "max_leaves": 31})
    c.add("deep", {**yes, "max_depth": 14, "min_child_weight": 0, "tree_method": "exact"})
    c.add("stumps", {**yes, "max_depth": 1}, rounds=150)
    c.add("leaves_only", {**yes, "gamma": 1e9})
    c.add("many", {**yes, "max_depth": 3}, rounds=400)
    c.add("monotone", {**yes, "monotone_constraints": "(1,-1,0,0,0,0,0,0)"})
    c.add("interaction", {**yes, "interaction_constraints": "[[0,1],[2,3,4]]", "tree_method": "hist"})
    c.add("weights", {**yes, "scale_pos_weight": 3.5, "max_delta_step": 0.7, "lambda": 0, "alpha": 0.2})
    c.add("far_margins", {**yes, "eta": 60, "lambda": 0, "min_child_weight": 0})
    c.add("names", yes, fields={"feature_names": [f"größe {i} \\ \"x\"" for i in range(WIDTH)]})
    c.add("types", yes, fields={"feature_types": ["q", "float", "int", "q", "q", "int", "q", "i"]})
    c.add("early_stop", {**yes, "eval_metric": "logloss"}, rounds=60, watch=True, early_stopping_rounds=3)
    c.add("metrics", {**yes, "eval_metric": ["auc", "error@0.3"]}, watch=True)

    def continued() -> xgb.Booster:
        first = c.train(yes, rounds=5)
        return c.train({**yes, "max_depth": 2}, rounds=5, xgb_model=first)

    def attributes() -> xgb.Booster:
        booster = c.train(yes)
        booster.set_attr(note='{"a": "é\\n"}', best_iteration="3", best_ntree_limit="4")
        return booster

    def updated(updater: str):
        refresh = {"process_type": "update", "updater": updater, "refresh_leaf": 1, "gamma": 2}
        return lambda: c.train({**yes, **refresh}, rounds=8, xgb_model=c.train(yes, rounds=8))

    def custom() -> xgb.Booster:
        def gradient(p: np.ndarray, d: xgb.DMatrix) -> tuple[np.ndarray, np.ndarray]:
            return p.ravel() - d.get_label(), np.ones(COUNT)

        return c.train({}, "real", obj=gradient)

    def wrapper(kind: str, **more: object):
        def make() -> xgb.Booster:
            x, labels = c.data[False]
            model = getattr(xgb, kind)(n_estimators=10, max_depth=4, n_jobs=1, **more)
            model.fit(x, labels["yes" if "Classifier" in kind else "real"])
            model.save_model(str(c.folder / "wrapper.json"))
            booster = xgb.Booster(model_file=str(c.folder / "wrapper.json"))
            (c.folder / "wrapper.json").unlink()
            return booster

        return make

    c.case("continued", continued)
    c.case("attributes", attributes)
    c.case("sliced", lambda: c.train(yes)[3:9])
    c.case("refreshed", updated("refresh"))
    c.case("pruned_later", updated("prune"))
    c.case("custom_objective", custom)
    for kind in ("XGBClassifier", "XGBRegressor", "XGBRFClassifier", "XGBRFRegressor"):
        c.case(kind, wrapper(kind))
    c.case("wrapper_base_score", wrapper("XGBClassifier", base_score=0.3))


BIG = {"uint16": 65000, "uint32": 4294966000, "int64": 2**53 + 1}  # added to a category: beyond what is signed, or a double


def categories(c: Cases) -> None:
    for method in ("hist", "approx"):
        for name, onehot in (("onehot", 1000), ("partition", 1), ("default", 4)):
            params = {"objective": "binary:logistic", "tree_method": method, "max_cat_to_onehot": onehot}
            c.add(f"{method}_{name}", params, categorical=True)
    c.add("cat_squarederror", {"tree_method": "hist", "max_depth": 9}, "real", categorical=True)
    c.add("cat_threshold", {"tree_method": "hist", "max_cat_threshold": 3, "max_cat_to_onehot": 1}, "real", categorical=True)

    def frame(kind: str):
        def make() -> xgb.Booster:
            import pandas

            x, labels = c.data[True]
            table = pandas.DataFrame(x, columns=[f"c{i}" for i in range(WIDTH)])
            for i in (2, 3):
                codes = [-1 if np.isnan(v) else int(v) for v in x[:, i]]
                names: object = [f"wörd {code}" if kind == "texts" else 3 * code + 5 for code in range(max(codes) + 1)]
                if kind not in ("texts", "numbers"):
                    names = pandas.Index(np.asarray(names).astype(kind) + np.asarray(BIG.get(kind, 0)).astype(kind))
                table[f"c{i}"] = pandas.Categorical.from_codes(codes, names)
            d = xgb.DMatrix(table, label=labels["yes"], enable_categorical=True)
            return xgb.train({"objective": "binary:logistic", "tree_method": "hist", "nthread": 1}, d, 10)

        return make

    for kind in ("texts", "numbers", "int8", "uint16", "uint32", "int64", "float32", "float64"):
        c.case(f"frame_{kind}", frame(kind), categorical=True)

    def by_hand(text: str) -> str:
        """Versions that train categories only on a GPU still score them: each third split becomes one."""
        model = json.loads(text)
        for tree in model["learner"]["gradient_booster"]["model"]["trees"]:
            tree["split_type"] = [0] * len(tree["left_children"])
            for node, left in enumerate(tree["left_children"]):
                if left == -1 or node % 3:
                    continue
                members = [node % 7, 3, 33 + node % 40]
                tree["split_type"][node] = 1
                tree["categories_nodes"].append(node)
                tree["categories_segments"].append(len(tree["categories"]))
                tree["categories_sizes"].append(len(members))
                tree["categories"] += sorted(members)
        return json.dumps(model)

    c.case("edited", lambda: c.train({"objective": "binary:logistic"}), categorical=True, edit=by_hand)


def mixed(c: Cases) -> None:
    """Settings drawn together; another SEED draws others."""
    random = np.random.RandomState(int(os.environ.get("SEED", "1")))

    def pick(*values: object) -> object:
        return values[random.randint(len(values))]

    for i in range(40):
        objective, label = OBJECTIVES[random.randint(len(OBJECTIVES))]
        params: dict = {
            "objective": objective,
            "tree_method": pick("hist", "approx", "exact"),
            "max_depth": pick(1, 2, 3, 5, 6, 8, 11),
            "eta": pick(0.01, 0.1, 0.3, 1.0),
            "lambda": pick(0, 1, 10),
            "min_child_weight": pick(0, 1, 5),
            "subsample": pick(0.5, 1.0),
            "colsample_bytree": pick(0.4, 1.0),
            "num_parallel_tree": pick(1, 1, 4),
            "max_bin": pick(8, 64, 256),
            "seed": int(random.randint(1000)),
            "quantile_alpha": pick(0.05, 0.5),
            "expectile_alpha": pick(0.05, 0.5),
            "aft_loss_distribution": pick("normal", "logistic", "extreme"),
        }
        if random.rand() < 0.5:
            params["base_score"] = float(np.float32(random.rand() * 0.9 + 0.05))
        categorical = params["tree_method"] != "exact" and random.rand() < 0.4
        if categorical:
            params.update(max_cat_to_onehot=pick(1, 5, 200), max_cat_threshold=pick(2, 64))
        if params["tree_method"] != "exact":
            params["colsample_bynode"] = pick(0.5, 1.0)
        if params["tree_method"] == "hist" and random.rand() < 0.3:
            params.update(grow_policy="lossguide", max_leaves=pick(5, 40), max_depth=0)
        rounds = pick(1, 7, 40)
        c.add(f"mixed_{i}", params, label, rounds=rounds, categorical=categorical)


def boosters(c: Cases) -> None:
    yes = {"objective": "binary:logistic"}
    dart = {"booster": "dart", "rate_drop": 0.5, "skip_drop": 0.3}
    c.add("dart", {**yes, **dart}, rounds=20)
    c.add("dart_forest_normalised", {**yes, **dart, "normalize_type": "forest", "sample_type": "weighted"}, rounds=20)
    c.add("dart_forest", {**yes, **dart, "num_parallel_tree": 3, "subsample": 0.6}, rounds=6)
    c.add("dart_one_drop", {**dart, "one_drop": 1, "rate_drop": 0.1, "base_score": 0.3}, "real", rounds=20)
    c.add("dart_never_dropped", {**yes, "booster": "dart"})
    c.add("dart_no_trees", {**yes, **dart}, rounds=0)
    c.add("dart_poisson", {**dart, "objective": "count:poisson"}, "count", rounds=20)
    c.add("dart_cat", {**yes, **dart, "tree_method": "hist"}, categorical=True)
    c.add("dart_classes", {**dart, "objective": "multi:softprob", "num_class": 4}, "class")
    for objective, label in OBJECTIVES:
        c.add(f"gblinear_{objective.replace(':', '_')}", {"booster": "gblinear", "objective": objective}, label)
    c.add("gblinear_no_rounds", {"booster": "gblinear", **yes}, rounds=0)
    c.add("gblinear_base", {"booster": "gblinear", **yes, "base_score": 0.2})
    c.add("gblinear_coordinates", {"booster": "gblinear", "updater": "coord_descent", "alpha": 0.1}, "real", rounds=30)
    for objective in ("multi:softprob", "multi:softmax"):
        c.add(f"gblinear_{objective[6:]}", {"booster": "gblinear", "objective": objective, "num_class": 4}, "class")


def outputs(c: Cases) -> None:
    softprob = {"objective": "multi:softprob", "num_class": 4}
    softmax = {**softprob, "objective": "multi:softmax"}
    c.add("softprob", softprob, "class")
    c.add("softmax", softmax, "class")
    c.add("softprob_base", {**softprob, "base_score": 1.7}, "class")
    c.add("softprob_no_trees", softprob, "class", rounds=0)
    c.add("softmax_no_trees", softmax, "class", rounds=0)
    c.add("softprob_cat", {**softprob, "tree_method": "hist", "max_cat_to_onehot": 1}, "class", categorical=True)
    c.add("softprob_forest", {**softprob, "num_parallel_tree": 3, "subsample": 0.6}, "class", rounds=4)
    c.add("softprob_stop", {**softprob, "eval_metric": "mlogloss"}, "class", watch=True, early_stopping_rounds=2, rounds=60)
    c.add("softmax_far", {**softmax, "eta": 60, "lambda": 0, "min_child_weight": 0}, "class")
    c.add("two_classes", {**softprob, "num_class": 2})
    c.add("one_class", {**softprob, "num_class": 1}, "zeros")
    c.add("one_class_of_two", {"objective": "binary:logistic", "num_class": 1})
    c.add("many_classes", {**softprob, "num_class": 61, "max_depth": 2}, "class", rounds=3)
    for alphas in ([0.1, 0.5, 0.9], [0.9, 0.1], [0.4, 0.45, 0.5, 0.55, 0.6]):
        for kind in ("quantile", "expectile"):
            params = {"objective": f"reg:{kind}error", f"{kind}_alpha": alphas}
            name = f"{kind}s_{'_'.join(map(str, alphas))}"
            c.add(name, params, "real", rounds=8)
            c.add(f"{name}_no_trees", params, "real", rounds=0)
            c.add(f"{name}_base", {**params, "base_score": 0.25}, "real", rounds=3)

    def custom() -> xgb.Booster:
        def gradient(p: np.ndarray, d: xgb.DMatrix) -> tuple[np.ndarray, np.ndarray]:
            p = p.reshape(COUNT, 4)
            wrong = p - np.eye(4)[d.get_label().astype(int)]
            shape = (COUNT, 4) if VERSION >= (2, 1) else (COUNT * 4, 1)
            return wrong.reshape(shape), np.ones(shape)

        return c.train({"num_class": 4}, "class", obj=gradient)

    c.case("custom_classes", custom)

    def targets(objective: str, strategy: str, **more: object):
        def make() -> xgb.Booster:
            if VERSION < (1, 6):
                raise ValueError("labels of one column")
            categorical = bool(more.get("categorical"))
            x, labels = c.data[categorical]
            kinds = {"count": ("count", "positive", "ones"), "reg": ("real", "positive", "count")}
            names = kinds.get(objective.split(":")[0], ("yes", "zeros", "ones"))
            names = ("yes", "zeros", "yes") if objective.endswith("logistic") else names
            names = ("positive", "ones", "count") if objective in ("reg:gamma", "reg:tweedie", "reg:squaredlogerror") else names
            label = np.stack([np.maximum(labels[n], 1e-3) if "reg:gamma" == objective else labels[n] for n in names], 1)
            d = c.matrix(x, categorical, label=label)
            params = {"tree_method": "hist", "nthread": 1, "max_depth": 4, "objective": objective, **more.get("params", {})}
            if VERSION >= (2, 0):
                params["multi_strategy"] = strategy
            elif strategy != "one_output_per_tree":
                raise ValueError("no vector leaves")
            return xgb.train(params, d, more.get("rounds", 5))

        return make

    for objective in ("reg:squarederror", "reg:logistic", "binary:logistic", "binary:logitraw", "binary:hinge", "reg:absoluteerror",
                      "reg:pseudohubererror", "reg:squaredlogerror", "count:poisson", "reg:gamma", "reg:tweedie"):  # fmt: skip
        for strategy in ("one_output_per_tree", "multi_output_tree"):
            c.case(f"{strategy}_{objective.replace(':', '_')}", targets(objective, strategy))
    for strategy in ("one_output_per_tree", "multi_output_tree"):
        for name, more in (
            ("cat", {"categorical": True, "params": {"max_cat_to_onehot": 1}}),
            ("base", {"params": {"base_score": 0.2}}),
            ("no_trees", {"rounds": 0}),
            ("leaves_only", {"params": {"gamma": 1e9}}),
            ("forest", {"params": {"num_parallel_tree": 3, "subsample": 0.6}, "rounds": 4}),
            ("dart", {"params": {"booster": "dart", "rate_drop": 0.5}, "rounds": 12}),
            ("linear", {"params": {"booster": "gblinear", "tree_method": "auto"}}),
            ("many", {"rounds": 20}),
        ):
            categorical = bool(more.get("categorical"))
            c.case(f"{strategy}_{name}", targets("binary:logistic", strategy, **more), categorical)
    vectors = {"tree_method": "hist", "multi_strategy": "multi_output_tree"}
    if VERSION >= (2, 0):
        c.add("vector_classes", {**softprob, **vectors}, "class")
        c.add("vector_quantiles", {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.9], **vectors}, "real")


def refused(c: Cases) -> None:
    """Later files than any that kscore knows, and what the library itself does not read back."""

    def newer(text: str) -> str:
        return text.replace(f'"version":[{VERSION[0]},', '"version":[4,')

    make = lambda: c.train({"objective": "binary:logistic"})  # noqa: E731
    c.case("newer", make, kind="refused", edit=newer)


def main() -> None:
    cases = Cases(Path(sys.argv[1]))
    for group in (objectives, shapes, categories, mixed, boosters, outputs, refused):
        group(cases)
    (cases.folder / "index.json").write_text(json.dumps(cases.index))


main()
