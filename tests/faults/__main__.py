"""Cut off, starve and corrupt a store some thousand times, and count what it lost: python tests/faults --json FILE.

Linux with a C compiler. Every step of a change that touches its files is a point at which the process is killed (before
the call, or after half of a write) and at which the call fails (ENOSPC, EIO, once or from then on).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "src")]


def main() -> int:
    """Run everything, or what is asked for; 0 where nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the counts to this file")
    parser.add_argument("--kills", type=int, default=500, help="kill -9 at so many random points")
    parser.add_argument("--every", type=int, default=1, help="let every n-th step only fail; kill at each all the same")
    parser.add_argument("--kill-every", type=int, default=1, help="kill at every n-th step only")
    parser.add_argument("--commits", type=int, default=100, help="commits beside the readers")
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--mutants", type=int, default=5_000, help="mutated index files")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    memory = Path("/dev/shm")  # What is on disk when the machine itself fails is not tried here.
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        shim = os.environ.get("LD_PRELOAD", "")
        if not shim.endswith("shim.so"):
            # Again, with the shim loaded before everything else.
            shim = f"{folder}/shim.so"
            subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, str(HERE / "shim.c"), "-ldl"], check=True)
            again = [sys.executable, str(HERE), *sys.argv[1:]]
            return subprocess.run(again, env=os.environ | {"LD_PRELOAD": shim}, check=False).returncode
        from faults import trials

        began = time.monotonic()
        told: dict[str, Any] = {
            "command": "python tests/faults " + " ".join(sys.argv[1:]),
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "faiss": version("faiss-cpu"),
        }
        place = Path(folder)
        parts: dict[str, Callable[[], dict[str, Any]]] = {
            "random kills": lambda: trials.random_kills(place, given.kills, given.seed),
            "readers": lambda: trials.readers(place, given.readers, given.commits),
            "mutants": lambda: trials.mutants(place, given.mutants, given.seed),
            "every step": lambda: trials.every_step(place, given.kill_every, given.every, shim),
        }
        for name, part in parts.items():
            told[name] = part()
            told["seconds"] = round(time.monotonic() - began)
            text = json.dumps(told, indent=1)
            if given.json:
                given.json.write_text(text + "\n", encoding="utf-8")
    print(text)
    return int(any(told[name]["failures"] for name in parts))


if __name__ == "__main__":
    sys.exit(main())
