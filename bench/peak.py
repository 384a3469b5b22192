"""One row of a table: what a command that must end well took for so many records.   peak.py RECORDS COMMAND..."""
from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

records, began = int(sys.argv[1]), time.monotonic()
done = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
report = json.loads(done.stdout)
if done.returncode != 0 or report["all"]["counts"]["equal"] != records:
    raise SystemExit(f"exit {done.returncode}: {report['all']}")
print(f"| {records:,} records, all equal | {(used.ru_utime + used.ru_stime) / records * 1e6:.1f} us | {time.monotonic() - began:.0f} s "
      f"| {used.ru_maxrss / 1024:.0f} MiB |", flush=True)
