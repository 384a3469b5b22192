#!/usr/bin/env python3
"""Prints the path of a newer librdkafka than the system's, for LD_PRELOAD: the one inside PyPI's confluent-kafka, which needs
nothing but libc. The version is pinned in tests/real.py."""
from __future__ import annotations

from pathlib import Path

import real

real.in_venv()

import confluent_kafka

found = list(Path(confluent_kafka.__file__).parent.parent.glob("confluent_kafka.libs/librdkafka*.so*"))
if len(found) != 1:
    raise SystemExit(f"confluent-kafka {confluent_kafka.__version__} has {len(found)} librdkafka, not 1: {found}")
print(found[0])
