"""Cut off, starve and corrupt a store some thousand times, and count what it lost: python tests/faults --json FILE.

Linux with a C compiler. Every step of a change that touches its files is a point at which the process is killed (before
the call, or after half of a write) and at which the call fails (ENOSPC, EIO, once or from then on).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "src")]


def main() -> int:
    """Run everything, or what is asked for; 0 where nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the counts to this file")
    parser.add_argument("--kills", type=int, default=500, help="kill -9 at so many random points")
    parser.add_argument("--every", type=int, default=1, help="try every n-th step only")
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
        counts = {
            "random kills": trials.random_kills(Path(folder), given.kills, given.seed),
            "every step": trials.every_step(Path(folder), given.every, shim),
            "readers": trials.readers(Path(folder), given.readers, given.commits),
            "mutants": trials.mutants(Path(folder), given.mutants, given.seed),
        }
    import sqlite3

    import faiss

    told = {
        "command": "python tests/faults " + " ".join(sys.argv[1:]),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "faiss": faiss.__version__,
        "seeds": given.seed,
        "seconds": round(time.monotonic() - began),
        **counts,
    }
    text = json.dumps(told, indent=1)
    print(text)
    if given.json:
        given.json.write_text(text + "\n", encoding="utf-8")
    return int(any(part["failures"] for part in counts.values()))


if __name__ == "__main__":
    sys.exit(main())
