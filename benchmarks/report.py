"""Write the tables of the last run, frontier, search by words and profile: `python benchmarks/report.py`.

All of them go into `benchmarks/TABLES.md`, the summary into the README. `--check` writes nothing and exits with 1 where
either does not hold what the results give.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.common import RESULTS, ROOT, BenchError, read_json, say
from benchmarks.tables import rendered, summary

BEGIN, END = "<!-- bench:start -->", "<!-- bench:end -->"


TABLES = ROOT / "benchmarks" / "TABLES.md"
TITLE = "# All tables of the last run\n\nWritten by `python benchmarks/report.py`.\n\n"


def main() -> int:
    """Write or check the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 where a table is behind")
    check = parser.parse_args().check
    try:
        for file, wanted in _wanted().items():
            if not check:
                file.write_text(wanted, encoding="utf-8")
            elif not file.is_file() or file.read_text(encoding="utf-8") != wanted:
                raise BenchError(f"{file.name} does not hold what the results give; type: python benchmarks/report.py")
    except BenchError as error:
        say(f"error: {error}")
        return 1
    return 0


def updated(readme: str, tables: str) -> str:
    """The README with `tables` between its two markers."""
    if readme.count(BEGIN) != 1 or readme.count(END) != 1 or readme.index(BEGIN) > readme.index(END):
        raise BenchError(f"the README needs one line {BEGIN} and, after it, one line {END}; type both, then again")
    before, _, rest = readme.partition(BEGIN)
    return f"{before}{BEGIN}\n{tables}{END}{rest.partition(END)[2]}"


def _wanted() -> dict[Path, str]:
    """What each file should hold."""
    latest, frontier, readme = RESULTS / "latest.json", RESULTS / "frontier.json", ROOT / "README.md"
    lexical, profile = RESULTS / "lexical.json", RESULTS / "profile.json"
    if not latest.is_file():
        raise BenchError(f"there are no results in {latest}; type: make bench")
    results = read_json(latest)
    points = read_json(frontier)["points"] if frontier.is_file() else []
    picture = frontier.with_suffix(".svg")
    if points and not picture.is_file():
        raise BenchError(f"{picture} is missing; type: python benchmarks/frontier.py --data DIR")
    plot = f"results/{picture.name}" if points else None
    words, shares = (read_json(file) if file.is_file() else None for file in (lexical, profile))
    others = [read_json(file) for file in sorted(RESULTS.glob("machine-*.json"))]
    text, tables = readme.read_text(encoding="utf-8"), rendered(results, points, plot, words, shares, others)
    return {readme: updated(text, summary(results, others)), TABLES: TITLE + tables}


if __name__ == "__main__":
    raise SystemExit(main())
