"""What the figures were taken on: machine, system and the state of the source."""

from __future__ import annotations

import hashlib
import os
import platform
from pathlib import Path

from benchmarks.common import ROOT


def machine() -> dict[str, object]:
    """Processor, cores, memory, system, and how busy it all is before the measurements."""
    cpu = _fields(Path("/proc/cpuinfo"))
    memory = _fields(Path("/proc/meminfo"))
    flags = set(cpu.get("flags", "").split())
    return {
        "cpu": cpu.get("model name", platform.processor() or "unknown"),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "int8": sorted(flags & {"avx2", "avx512_vnni", "avx_vnni", "amx_int8"}),
        "memory_gb": round(int(memory.get("MemTotal", "0 kB").split()[0]) * 1024 / 1e9, 1),
        "os": _os_name(),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def load() -> float:
    """The load average of the last minute; near 0 on a quiet machine before a run."""
    return round(os.getloadavg()[0], 2)


def commit() -> str:
    """The commit that is checked out, read from the repository's files; `unknown` outside of one."""
    git = ROOT / ".git"
    try:
        if git.is_file():  # a worktree: the file names its folder
            git = (ROOT / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()).resolve()
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref: "):
            return head
        reference = head.removeprefix("ref: ")
        common = git / "commondir"
        top = (git / common.read_text(encoding="utf-8").strip()).resolve() if common.exists() else git
        if (top / reference).exists():
            return (top / reference).read_text(encoding="utf-8").strip()
        packed = (top / "packed-refs").read_text(encoding="utf-8").splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {reference}")), "unknown")
    except OSError:
        return "unknown"


def source_sha256() -> str:
    """A digest of src/, which tells whether what was measured is what the commit holds."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "src").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform()


def _fields(path: Path) -> dict[str, str]:
    """`name: value` lines, the first of each name."""
    found: dict[str, str] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            found.setdefault(name.strip(), value.strip())
    return found
