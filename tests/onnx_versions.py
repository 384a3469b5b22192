#!/usr/bin/env python3
"""kscore beside ONNX Runtime, on one thread.

    tests/onnx_versions.py [-v]     RANDOM=N random ensembles (500)     KEEP=FOLDER keeps models

scikit-learn, XGBoost and LightGBM train small models, skl2onnx and onnxmltools export them, and `kscore score` must give what
ONNX Runtime gives: by bits (the last bit of a logistic or softmax aside), or within 1e-6 where `kscore model` says that it is only
close. Then ensembles of every mode, transform and layout, drawn at random: what ONNX Runtime does not load, kscore refuses.
Without the packages, or a Python that they run on, it is skipped, with the reason.
"""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from real import CACHE, HERE

KSCORE = HERE.parent / "build/release/kscore"
PACKAGES = (
    "numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 skl2onnx==1.20.0 onnxmltools==1.16.0 scikit-learn==1.9.1 xgboost==3.2.0 lightgbm==4.7.0"
).split()
TOLERANCE = 1e-6
VERBOSE = "-v" in sys.argv


def in_venv() -> str | None:
    """Starts the script again where the packages are; why not."""
    venv = CACHE / "onnx"
    if Path(sys.prefix) == venv:
        return None
    if not (venv / "ready").exists():
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        done = subprocess.run([venv / "bin/pip", "install", "-q", *PACKAGES], capture_output=True, text=True)
        if done.returncode != 0:
            return (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        (venv / "ready").touch()
    os.execv(venv / "bin/python", [str(venv / "bin/python"), *sys.argv])


# ---- both sides


def runtime(model: bytes, rows):
    """The float output, of two classes with labels the second; None: not loaded, or not run."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        feed, at = {}, 0
        for value in session.get_inputs():
            width = value.shape[1]
            feed[value.name] = rows[:, at : at + width].astype(np.float64 if "double" in value.type else np.float32)
            at += width
        outputs = session.run(None, feed)
    except Exception as error:  # its exceptions have no common class but this
        if VERBOSE:
            print("    ONNX Runtime:", str(error)[:200].replace("\n", " "))
        return None
    maps = [output for output in outputs if isinstance(output, list) and isinstance(output[0], dict)]
    floats = [output for output in outputs if not isinstance(output, list) and output.dtype in (np.float32, np.float64)]
    scores = np.array([list(row.values()) for row in maps[0]], np.float32) if maps else floats[0].reshape(len(rows), -1)
    return scores[:, 1:] if len(outputs) > 1 and scores.shape[1] == 2 else scores


def kscore(path: Path, rows) -> tuple[object, bool | str]:
    """Scores and whether they are only close; or None and why it is refused."""
    import numpy as np

    formats = ["--input-format", "f32le", "--columns", str(rows.shape[1]), "--output-format", "f64le", "--output", "prediction"]
    done = subprocess.run([KSCORE, "score", "--model", path, *formats], input=rows.tobytes(), capture_output=True, timeout=60)
    if done.returncode != 0:
        return None, done.stderr.decode(errors="replace").strip()
    about = subprocess.run([KSCORE, "model", path], capture_output=True, text=True, timeout=60).stdout
    return np.frombuffer(done.stdout, "<f8").reshape(len(rows), -1), "only close" in about


def ordered(values):
    """float32 as integers in their order: neighbours differ by 1."""
    import numpy as np

    bits = values.astype(np.float32).view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


class Account:
    def __init__(self, folder: Path) -> None:
        self.folder, self.counts, self.failures = folder, Counter(), 0

    def fail(self, name: str, why: str) -> None:
        self.failures += 1
        print(f"  FAIL {name}: {why}", flush=True)

    def compare(self, name: str, model, rows, may_refuse: bool = False) -> None:
        import numpy as np

        path = self.folder / f"{name}.onnx"
        path.write_bytes(model.SerializeToString())
        want, (got, how) = runtime(path.read_bytes(), rows), kscore(path, rows)
        if want is None or got is None:
            self.counts["not loaded by ONNX Runtime" if want is None else "refused"] += 1
            if want is None and got is not None and may_refuse:
                self.fail(name, "ONNX Runtime does not load it, kscore does")
            if want is not None and not may_refuse:
                self.fail(name, f"refused: {how}")
            return
        if want.shape != got.shape:
            self.fail(name, f"{got.shape} scores, must be {want.shape}")
            return
        both_nan = np.isnan(want) & np.isnan(got)
        apart = np.where(both_nan, 0, np.abs(ordered(got) - ordered(want))).max()
        with np.errstate(invalid="ignore"):
            error = np.where(both_nan | (got == want), 0, np.abs(got - want) / np.maximum(1, np.abs(want))).max()
        self.counts["only close" if how else "exact"] += 1
        if VERBOSE or not may_refuse:
            print(f"  {name}: {'close, at most %.2g apart' % error if how else 'exact' if apart == 0 else f'{apart} units apart'}")
        if not (error <= TOLERANCE if how else apart <= 1):
            self.fail(name, f"{apart} units in the last place, {error} apart")


# ---- what people export


def plain_attributes() -> None:
    """skl2onnx 1.20 passes numpy's whole numbers and booleans on, which onnx refuses from HistGradientBoosting."""
    import numpy as np
    import skl2onnx.common._container as container

    def plain(value):
        if isinstance(value, np.ndarray):
            value = value.tolist()
        if isinstance(value, list):
            return [int(v) if isinstance(v, (bool, np.bool_, np.integer)) else v for v in value]
        return value

    make_node = container.make_node
    container.make_node = lambda *a, **k: make_node(*a, **{name: plain(value) for name, value in k.items()})


def sklearn_models() -> dict:
    from sklearn import ensemble, linear_model, preprocessing, tree
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    scale, impute, logistic = preprocessing.StandardScaler, SimpleImputer, linear_model.LogisticRegression
    columns = ColumnTransformer([("s", scale(), [0, 2]), ("i", impute(), [1])], remainder="passthrough")
    return {
        "tree_binary": (tree.DecisionTreeClassifier(max_depth=4), "binary"),
        "tree_classes": (tree.DecisionTreeClassifier(max_depth=4), "classes"),
        "tree_value": (tree.DecisionTreeRegressor(max_depth=4), "value"),
        "tree_values": (tree.DecisionTreeRegressor(max_depth=4), "values"),
        "forest_binary": (ensemble.RandomForestClassifier(9, max_depth=4), "binary"),
        "forest_classes": (ensemble.RandomForestClassifier(9, max_depth=4), "classes"),
        "forest_value": (ensemble.RandomForestRegressor(9, max_depth=4), "value"),
        "forest_values": (ensemble.RandomForestRegressor(9, max_depth=4), "values"),
        "extra_classes": (ensemble.ExtraTreesClassifier(9, max_depth=4), "classes"),
        "extra_value": (ensemble.ExtraTreesRegressor(9, max_depth=4), "value"),
        "boosting_binary": (ensemble.GradientBoostingClassifier(n_estimators=9), "binary"),
        "boosting_classes": (ensemble.GradientBoostingClassifier(n_estimators=9), "classes"),
        "boosting_value": (ensemble.GradientBoostingRegressor(n_estimators=9), "value"),
        "hist_binary": (ensemble.HistGradientBoostingClassifier(max_iter=9), "binary"),
        "hist_classes": (ensemble.HistGradientBoostingClassifier(max_iter=9), "classes"),
        "hist_value": (ensemble.HistGradientBoostingRegressor(max_iter=9), "value"),
        "linear_value": (linear_model.LinearRegression(), "value"),
        "linear_values": (linear_model.LinearRegression(), "values"),
        "logistic_binary": (logistic(), "binary"),
        "logistic_classes": (logistic(), "classes"),
        "sgd_binary": (linear_model.SGDClassifier(loss="log_loss", alpha=0.1), "binary"),
        "pipeline_forest": (make_pipeline(impute(), scale(), ensemble.RandomForestClassifier(9, max_depth=4)), "binary"),
        "pipeline_logistic": (make_pipeline(impute(), scale(), logistic()), "binary"),
        "pipeline_minmax": (make_pipeline(preprocessing.MinMaxScaler(), ensemble.ExtraTreesRegressor(5, max_depth=3)), "value"),
        "pipeline_robust": (make_pipeline(preprocessing.RobustScaler(), linear_model.Ridge()), "value"),
        "pipeline_columns": (make_pipeline(columns, ensemble.RandomForestRegressor(5, max_depth=4)), "value"),
    }


def boosted_models() -> dict:
    import lightgbm
    import xgboost

    small, quiet = {"n_estimators": 9, "max_depth": 4}, {"n_estimators": 9, "verbose": -1, "min_child_samples": 3}
    forest = {"boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}
    return {
        "xgboost_binary": (xgboost.XGBClassifier(**small), "binary"),
        "xgboost_classes": (xgboost.XGBClassifier(**small), "classes"),
        "xgboost_value": (xgboost.XGBRegressor(**small), "value"),
        "xgboost_poisson": (xgboost.XGBRegressor(objective="count:poisson", **small), "positive"),
        "lightgbm_binary": (lightgbm.LGBMClassifier(**quiet), "binary"),
        "lightgbm_classes": (lightgbm.LGBMClassifier(**quiet), "classes"),
        "lightgbm_value": (lightgbm.LGBMRegressor(**quiet), "value"),
        "lightgbm_poisson": (lightgbm.LGBMRegressor(objective="poisson", **quiet), "positive"),
        "lightgbm_forest_binary": (lightgbm.LGBMClassifier(**forest, **quiet), "binary"),
        "lightgbm_forest_value": (lightgbm.LGBMRegressor(**forest, **quiet), "value"),
        "lightgbm_categories": (lightgbm.LGBMClassifier(min_data_per_group=1, cat_smooth=0, **quiet), "category"),
    }


def exports(account: Account) -> None:
    import numpy as np
    from onnxmltools import convert_lightgbm, convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType
    from skl2onnx import to_onnx

    random = np.random.default_rng(1)
    x = random.normal(size=(300, 4)).astype(np.float32)
    x[:, 3] = random.integers(0, 12, 300)
    y = {
        "binary": (x[:, 0] + x[:, 1] > 0.3).astype(int),
        "classes": np.digitize(x[:, 0], [-0.5, 0.5]),
        "value": 2 * x[:, 0] + x[:, 2],
        "values": np.c_[2 * x[:, 0] + x[:, 2], x[:, 1]],
        "positive": np.exp(x[:, 0]),
        "category": np.isin(x[:, 3], [1, 4, 7, 11]).astype(int),
    }
    rows = np.concatenate([x, random.normal(size=(1000, 4)).astype(np.float32)])
    for i, value in enumerate([np.nan, np.inf, -0.0, 1e-38, -np.inf, 2.5]):
        rows[300 + i :: 29, i % 4] = value
    plain_attributes()
    for name, (model, kind) in {**sklearn_models(), **boosted_models()}.items():
        if name.startswith(("xgboost", "lightgbm")):
            convert = convert_xgboost if name.startswith("xgboost") else convert_lightgbm
            model.fit(x, y[kind], **({"categorical_feature": [3]} if kind == "category" else {}))
            account.compare(name, convert(model, initial_types=[("X", FloatTensorType([None, 4]))]), rows)
            continue
        model.fit(x, y[kind])
        account.compare(name, to_onnx(model, x[:1]), rows)
        if hasattr(model, "predict_proba"):
            account.compare(f"{name}_array", to_onnx(model, x[:1], options={"zipmap": False}), rows)


# ---- what nobody exports, but may be in a file

MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]


def random_tree(random, shape: dict) -> list[list]:
    """Nodes [mode, feature, value, true, false, missing is true], the root first; branches are shared at times."""
    nodes: list[list] = []

    def grow(depth: int) -> int:
        at = len(nodes)
        nodes.append(["LEAF", 0, 0.0, 0, 0, 0])
        if depth == 0 or random.random() < 0.2:
            return at
        mode = shape["modes"][random.integers(len(shape["modes"]))]
        whole = mode in ("BRANCH_EQ", "BRANCH_NEQ") or random.random() < 0.2
        value = float(random.integers(-3, 40)) if whole else float(random.normal() * 2)
        first = grow(depth - 1)
        second = first if shape["shared"] and random.random() < 0.3 else grow(depth - 1)
        children = [first, second] if random.random() < 0.5 else [second, first]
        nodes[at] = [mode, int(random.integers(shape["features"])), value, *children, int(shape["missing"] and random.random() < 0.4)]
        return at

    grow(4)
    return nodes


def random_weights(random, shape: dict, tree: int) -> list[int]:
    outputs, style = shape["outputs"], shape["style"]
    if isinstance(style, int):
        return [style]
    if style == "tree":
        return [tree % outputs]
    return list(range(outputs)) if style == "all" else sorted(random.choice(outputs, random.integers(1, outputs + 1), replace=False))


def random_shape(random) -> dict:
    classifier = bool(random.random() < 0.5)
    outputs = int(random.integers(2, 5) if classifier else random.integers(1, 4))
    double = bool(random.random() < 0.3)
    return {
        "classifier": classifier,
        "outputs": outputs,
        "features": int(random.integers(1, 6)),
        "trees": int(random.integers(1, 8)),
        "double": double,
        "modes": MODES if random.random() < 0.5 else [MODES[random.integers(6)]],
        "shuffled": bool(random.random() < 0.5),
        "missing": bool(random.random() < 0.6),
        "shared": bool(random.random() < 0.2),
        "style": 0 if outputs == 1 else ["all", "tree", "some", 0, 1][random.integers(5)],
        "transform": ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"][random.integers(4)],
        "bases": outputs if random.random() < 0.35 else int(random.random() < 0.2),
        "opset": 3 if double or random.random() < 0.5 else 1,
        "aggregate": ["SUM", "AVERAGE"][random.integers(2)],
    }


def random_model(random, shape: dict):
    from onnx import TensorProto, helper

    nodes, weights = [], []
    for tree in range(shape["trees"]):
        grown = random_tree(random, shape)
        ids, order = list(range(len(grown))), list(range(len(grown)))
        if shape["shuffled"]:
            ids[1:], order[1:] = random.permutation(ids[1:]), random.permutation(order[1:])
        for i in order:
            mode, feature, value, yes, no, missing = grown[i]
            nodes.append([tree, int(ids[i]), mode, feature, value, int(ids[yes]), int(ids[no]), missing])
            if mode == "LEAF":
                weights += [[tree, int(ids[i]), int(k), float(random.normal())] for k in random_weights(random, shape, tree)]
    if shape["shuffled"]:
        random.shuffle(weights)
    names = "treeids nodeids modes featureids values truenodeids falsenodeids missing_value_tracks_true".split()
    prefix = "class" if shape["classifier"] else "target"
    attributes = {f"nodes_{name}": list(column) for name, column in zip(names, zip(*nodes))}
    attributes |= {f"{prefix}_{name}": list(column) for name, column in zip("treeids nodeids ids weights".split(), zip(*weights))}
    attributes |= {"base_values": [float(v) for v in random.normal(size=shape["bases"])]} if shape["bases"] else {}
    if shape["double"] and random.random() < 0.7:
        for name in ["nodes_values", f"{prefix}_weights", *(["base_values"] if shape["bases"] else [])]:
            values = attributes.pop(name)
            attributes[f"{name}_as_tensor"] = helper.make_tensor(name, TensorProto.DOUBLE, [len(values)], values)
    if shape["classifier"]:
        attributes["classlabels_int64s"] = list(range(shape["outputs"]))
    else:
        attributes |= {"n_targets": shape["outputs"], "aggregate_function": shape["aggregate"]}
    op, outputs = ("TreeEnsembleClassifier", ["L", "P"]) if shape["classifier"] else ("TreeEnsembleRegressor", ["P"])
    node = helper.make_node(op, ["X"], outputs, domain="ai.onnx.ml", post_transform=shape["transform"], **attributes)
    kind = TensorProto.DOUBLE if shape["double"] else TensorProto.FLOAT
    values = {"L": helper.make_tensor_value_info("L", TensorProto.INT64, [None]), "P": helper.make_tensor_value_info("P", TensorProto.FLOAT, [None, shape["outputs"]])}
    graph = helper.make_graph([node], "g", [helper.make_tensor_value_info("X", kind, [None, shape["features"]])], [values[name] for name in outputs])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", shape["opset"])], ir_version=8)


def random_ensembles(account: Account, count: int) -> None:
    import numpy as np

    for seed in range(count):
        random = np.random.default_rng(seed)
        shape = random_shape(random)
        size = (200, shape["features"])
        rows = np.where(random.random(size) < 0.4, random.integers(-3, 40, size), random.normal(size=size) * 2).astype(np.float32)
        for value, share in ((np.nan, 0.1), (np.inf, 0.02), (-np.inf, 0.02), (-0.0, 0.02)):
            rows[random.random(size) < share] = value
        account.compare(f"random-{seed}", random_model(random, shape), rows, may_refuse=True)


def main() -> int:
    why = in_venv()
    if why:
        print(f"ONNX: skipped: {why}")
        return 0
    keep = os.environ.get("KEEP")
    folder = Path(keep) if keep else Path(tempfile.mkdtemp(prefix="kscore-onnx-"))
    folder.mkdir(parents=True, exist_ok=True)
    exported, drawn = Account(folder), Account(folder)
    exports(exported)
    random_ensembles(drawn, int(os.environ.get("RANDOM") or 500))
    if not keep:
        shutil.rmtree(folder)
    print(f"exports: {dict(exported.counts)}, {exported.failures} failed; random: {dict(drawn.counts)}, {drawn.failures} failed")
    return bool(exported.failures + drawn.failures or not exported.counts["exact"] or not drawn.counts["exact"])


if __name__ == "__main__":
    sys.exit(main())
