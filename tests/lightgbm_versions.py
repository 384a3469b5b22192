#!/usr/bin/env python3
"""kscore beside the LightGBM that trained the model, version by version.

    tests/lightgbm_versions.py [-v] [VERSION...]     KEEP=FOLDER keeps models, rows and scores

Each version from PyPI trains models of every objective and setting that kscore reads (lightgbm_cases.py); `kscore score` must give its
raw scores by bits, its predictions within one unit in the last place and its contributions within 1e-6 of the row's largest, and refuse what it must. A version that cannot be had or
started here is skipped, with the reason.
"""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from array import array
from math import isfinite
from pathlib import Path

from real import CACHE, HERE
from xgboost_versions import KSCORE, Library, base_python, pip, run

VERSIONS = "2.1.2 2.2.2 2.2.3 2.3.1 3.0.0 3.1.1 3.2.1 3.3.5 4.0.0 4.1.0 4.3.0 4.6.0".split()


def train(version: str, folder: Path) -> str | None:
    """Fills folder; None, or why not."""
    python, why = base_python("older")
    if why:
        return why
    library = CACHE / "lightgbm" / version
    if not (library / "ready").exists():
        shutil.rmtree(library, ignore_errors=True)
        why = pip(python, "--no-deps", "--target", library, f"lightgbm=={version}")
        if why:
            return why
        (library / "ready").touch()
    environment = {**os.environ, "PYTHONPATH": str(library), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [python, HERE / "lightgbm_cases.py", folder], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it died"])[-1]


def steps(data: bytes) -> array:
    """Doubles as integers in their order: neighbours differ by 1; NaN is NaN whatever its bits."""
    plain = (0x7FF8000000000000 if v != v else None for v in array("d", data))
    return array("q", (n or (v if v >= 0 else -(v & 0x7FFFFFFFFFFFFFFF)) for v, n in zip(array("q", data), plain)))


def kscore(model: Path, output: str) -> subprocess.CompletedProcess:
    formats = ["--input-format", "f32le", "--output-format", "f64le", "--output", output]
    return subprocess.run([KSCORE, "score", "--model", model, *formats, model.with_suffix(".rows.f32le")], capture_output=True, timeout=60)


def compare_contributions(model: Path) -> str | None:
    """None, or what differs. Sums of many terms in another order: not by bits."""
    told = model.with_suffix(".contributions.f64le")
    if not told.exists():
        return None
    got, want = kscore(model, "contributions"), array("d", told.read_bytes())
    if got.returncode != 0:
        return f"contributions: {got.stderr.decode(errors='replace').strip()[:300]}"
    ours = array("d", got.stdout)
    if len(ours) != len(want):
        return f"{len(ours)} contributions, want {len(want)}"
    each = len(want) // (model.with_suffix(".margin.f64le").stat().st_size // 8)  # of one margin
    for at in range(0, len(want), each):
        limit = 1e-6 * max((abs(v) for v in want[at : at + each] if isfinite(v)), default=0)
        for i in range(at, at + each):
            if ours[i] != want[i] and not abs(ours[i] - want[i]) <= limit:
                return f"contribution {i % each} of row {i // each} is {ours[i]!r}, must be {want[i]!r}"
    return None


def compare(model: Path) -> str | None:
    """None, or what differs."""
    stem = str(model.with_suffix(""))
    for output, want, limit in (("margin", "margin", 0), ("prediction", "pred", 1)):
        got, expected = kscore(model, output), Path(f"{stem}.{want}.f64le").read_bytes()
        if got.returncode != 0:
            return got.stderr.decode(errors="replace").strip()[:300]
        if len(got.stdout) != len(expected):
            return f"{len(got.stdout)} bytes of {output}s, want {len(expected)}"
        apart = [abs(a - b) for a, b in zip(steps(got.stdout), steps(expected))]
        if max(apart) > limit:
            a, b = (array("d", data) for data in (got.stdout, expected))
            rows = [i for i, steps_apart in enumerate(apart) if steps_apart > limit]
            return f"{output}: {len(rows)} of {len(a)} differ, number {rows[0]} is {a[rows[0]]!r}, must be {b[rows[0]]!r}"
    return compare_contributions(model)


if __name__ == "__main__":
    sys.exit(run(Library("LightGBM", VERSIONS, train, compare)))
