#!/usr/bin/env python3
"""The Python in docs/model-bundle.md writes a bundle that kscore loads, whose golden rows and events hold; the commands of
docs/incident.md do what stands there (tests/walk.py)."""
from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import real

if __name__ == "__main__":
    real.in_venv()

import walk

ROOT = Path(__file__).resolve().parents[1]
KSCORE = ROOT / "build/release/kscore"


def main() -> None:
    try:
        import pandas  # noqa: F401
    except ImportError:
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", "pandas"], check=True)
    page = (ROOT / "docs/model-bundle.md").read_text(encoding="utf-8")
    program = re.search(r"```python\n(.*?)```", page, re.S).group(1)
    event, answer = re.search(r"\$ echo '(.*?)' \| kscore score --model fraud-7\n\n    (.*)\n", page).groups()
    with tempfile.TemporaryDirectory(prefix="kscore-docs-") as folder:
        tool = {**os.environ, "PYTHONPATH": str(ROOT / "tools")}
        subprocess.run([sys.executable, "-c", program], cwd=folder, check=True, env=tool)
        goldens = len((Path(folder) / "fraud-7/golden.jsonl").read_text(encoding="utf-8").splitlines())
        done = subprocess.run([KSCORE, "score", "--model", "fraud-7"], cwd=folder, input=event, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0 or json.loads(done.stdout)["decision"] != json.loads(answer)["decision"]:
        raise SystemExit(f"docs/model-bundle.md: exit {done.returncode}, {done.stdout.strip()} instead of {answer}")
    print(f"docs/model-bundle.md: its bundle loads, {goldens} golden lines hold, {done.stdout.strip()}")


if __name__ == "__main__":
    main()
    walk.main()
