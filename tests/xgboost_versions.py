#!/usr/bin/env python3
"""kscore beside the XGBoost that trained the model, version by version.

    tests/xgboost_versions.py [VERSION...]     KEEP=FOLDER keeps models, rows and scores

Each version from PyPI trains some 300 models of every objective, booster and setting that kscore reads (xgboost_cases.py); `kscore
score` must give its margins by bits and its predictions within one unit in the last place, and refuse what it does not
read. A version that cannot be had or started here is skipped, with the reason.
"""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from array import array
from pathlib import Path
from typing import Callable, NamedTuple

from real import CACHE, HERE

KSCORE = HERE.parent / "build/release/kscore"
VERSIONS = "1.0.2 1.1.1 1.2.1 1.3.0.post0 1.3.3 1.4.2 1.5.2 1.6.2 1.7.1 1.7.6 2.0.3 2.1.4 3.0.5 3.1.3 3.2.0 3.3.0 3.4.1".split()
# What all up to 3.2 run on: numpy 1.23 is the last with np.int and the like, which the old ones use; it needs Python 3.11
# or older. Newer ones come only for Python 3.12 and newer.
BASES = {
    "older": ((3, 8), (3, 11), ["numpy==1.23.5", "scipy==1.9.3", "pandas==1.5.3", "scikit-learn==1.2.2"]),
    "newer": ((3, 12), (3, 99), ["numpy", "scipy", "pandas", "scikit-learn"]),
}
LAST_OLDER = (3, 2)


def pip(python: Path, *arguments: object) -> str | None:
    """None, or why not."""
    done = subprocess.run(
        [python, "-m", "pip", "install", "-q", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("ERROR")]
    return None if done.returncode == 0 else (lines or [f"pip ended with {done.returncode}"])[-1]


def pythons() -> list[str]:
    """This one, those in PATH, those of pyenv."""
    found = [sys.executable, *filter(None, (shutil.which(f"python3.{minor}") for minor in range(8, 20)))]
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    return found + [str(path) for path in sorted(root.glob("versions/*/bin/python"))]


def find_python(lowest: tuple[int, int], highest: tuple[int, int]) -> str | None:
    for python in pythons():
        ask = subprocess.run(
            [python, "-c", "import ensurepip, sys; print(*sys.version_info[:2])"], capture_output=True, text=True
        )
        if ask.returncode == 0 and lowest <= tuple(map(int, ask.stdout.split())) <= highest:
            return python
    return None


def base_python(name: str) -> tuple[Path, str | None]:
    """The Python of a virtual environment, and why there is none."""
    venv = CACHE / "xgboost" / name
    if not (venv / "ready").exists():
        lowest, highest, packages = BASES[name]
        python = find_python(lowest, highest)
        if not python:
            return venv, f"no Python {lowest[0]}.{lowest[1]} to {highest[0]}.{highest[1]} here"
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run([python, "-m", "venv", venv], check=True)
        why = pip(venv / "bin/python", *packages)
        if why:
            return venv, why
        (venv / "ready").touch()
    return venv / "bin/python", None


def train(version: str, folder: Path) -> str | None:
    """Fills folder; None, or why not."""
    is_older = tuple(map(int, version.split(".")[:2])) <= LAST_OLDER
    python, why = base_python("older" if is_older else "newer")
    if why:
        return why
    library = CACHE / "xgboost" / version
    if not (library / "ready").exists():
        shutil.rmtree(library, ignore_errors=True)
        why = pip(python, "--no-deps", "--target", library, f"xgboost=={version}")
        if why:
            return why
        (library / "ready").touch()
    environment = {**os.environ, "PYTHONPATH": str(library), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [python, HERE / "xgboost_cases.py", folder], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    return None if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it died"])[-1]


def kscore(model: Path, rows: Path, output: str, rounds: str = "all") -> subprocess.CompletedProcess:
    formats = ["--input-format", "f32le", "--output-format", "f32le", "--output", output, "--rounds", rounds]
    return subprocess.run([KSCORE, "score", "--model", model, *formats, rows], capture_output=True, timeout=60)


def steps(data: bytes) -> array:
    """float32 as integers in their order: neighbours differ by 1."""
    return array("q", (v if v >= 0 else -(v & 0x7FFFFFFF) for v in array("i", data)))


def compare(model: Path) -> str | None:
    """None, or what differs."""
    stem = str(model.with_suffix(""))
    wanted = [("margin", "margin", "all", None), ("prediction", "pred", "all", 1)]
    wanted += [("margin", f"{n}.margin", n, None) for n in ("3", "best") if Path(f"{stem}.{n}.margin.f32le").exists()]
    for output, want, rounds, limit in wanted:
        got, expected = kscore(model, Path(f"{stem}.rows.f32le"), output, rounds), Path(f"{stem}.{want}.f32le").read_bytes()
        if got.returncode != 0:
            return got.stderr.decode(errors="replace").strip()[:300]
        if got.stdout == expected:
            continue
        if len(got.stdout) != len(expected):
            return f"{len(got.stdout)} bytes of {output}s, want {len(expected)}"
        apart = [abs(a - b) for a, b in zip(steps(got.stdout), steps(expected))]
        if limit is None or max(apart) > limit:
            a, b = (array("f", data) for data in (got.stdout, expected))
            rows = [i for i in range(len(a)) if got.stdout[4 * i : 4 * i + 4] != expected[4 * i : 4 * i + 4]]
            i = rows[0]
            return f"{want}: {len(rows)} of {len(a)} rows differ, row {i} is {a[i]:.9g}, must be {b[i]:.9g}"
    return None


def check_refused(model: Path) -> str | None:
    got = kscore(model, Path(os.devnull), "margin")
    said = got.stderr.decode(errors="replace").strip().splitlines()
    return None if got.returncode == 65 and len(said) == 1 else f"exit {got.returncode}, {said[:3]}"


class Library(NamedTuple):
    name: str
    versions: list[str]
    train: Callable[[str, Path], str | None]  # fills the folder; or why not
    compare: Callable[[Path], str | None]  # what differs


def run_version(library: Library, version: str, folder: Path) -> tuple[int, int, str]:
    """Passed, failed, why it was skipped."""
    why = library.train(version, folder)
    if why:
        return 0, 0, why
    passed, absent, failures = 0, [], []
    for name, kind in json.loads((folder / "index.json").read_text()).items():
        if kind not in ("scores", "refused"):
            absent.append(f"{name} ({kind.split(': ', 1)[1]})" if "-v" in sys.argv else name)
            continue
        wrong = library.compare(folder / name) if kind == "scores" else check_refused(folder / name)
        passed += wrong is None
        if wrong:
            failures.append(f"  FAIL {version} {name}: {wrong}")
    print(f"{library.name} {version}: {passed} as the library says, {len(failures)} not; {len(absent)} cases it cannot make", flush=True)
    print("\n".join(failures[:1000 if "-v" in sys.argv else 20]), end="\n" if failures else "")
    if "-v" in sys.argv:
        print("  cannot make:", ", ".join(absent))
    # A version that trains nothing proves nothing.
    return passed, len(failures) + (passed == 0), ""


def run(library: Library) -> int:
    """All versions, or those of the command line; the exit code."""
    passed = failed = skipped = 0
    for version in [v for v in sys.argv[1:] if v != "-v"] or library.versions:
        keep = os.environ.get("KEEP")
        folder = Path(keep) / version if keep else Path(tempfile.mkdtemp(prefix=f"kscore-{library.name.lower()}-"))
        folder.mkdir(parents=True, exist_ok=True)
        good, bad, why = run_version(library, version, folder)
        passed, failed, skipped = passed + good, failed + bad, skipped + bool(why)
        if why:
            print(f"{library.name} {version}: skipped: {why}", flush=True)
        if not keep:
            shutil.rmtree(folder)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return failed != 0


if __name__ == "__main__":
    sys.exit(run(Library("XGBoost", VERSIONS, train, compare)))
