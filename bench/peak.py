"""One row of a table: what a comparison that must find all equal took.   peak.py KSCORE replay ..."""
from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

began = time.monotonic()
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
report = json.loads(done.stdout)
records = report["all"]["counts"]["equal"]
if done.returncode != 0 or records != report["here"]["scores"]:
    raise SystemExit(f"exit {done.returncode}: {report['all']}")
print(f"| {records:,} records, all equal | {(used.ru_utime + used.ru_stime) / records * 1e6:.1f} us | {time.monotonic() - began:.0f} s "
      f"| {used.ru_maxrss / 1024:.0f} MiB |", flush=True)
