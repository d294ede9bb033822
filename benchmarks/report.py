"""Put the tables of the last run, and of the last frontier, into the README: `python benchmarks/report.py`.

`--check` writes nothing and exits with 1 where the README does not hold what the results give.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.common import RESULTS, ROOT, BenchError, read_json, say
from benchmarks.tables import rendered

BEGIN, END = "<!-- bench:start -->", "<!-- bench:end -->"


def main() -> int:
    """Write or check the README's tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 where the README is behind")
    parser.add_argument("--results", type=Path, default=RESULTS / "latest.json", metavar="FILE")
    parser.add_argument("--frontier", type=Path, default=RESULTS / "frontier.json", metavar="FILE")
    parser.add_argument("--readme", type=Path, default=ROOT / "README.md", metavar="FILE")
    arguments = parser.parse_args()
    try:
        return _report(arguments.results, arguments.frontier, arguments.readme, check=arguments.check)
    except BenchError as error:
        say(f"error: {error}")
        return 1


def updated(readme: str, tables: str) -> str:
    """The README with `tables` between its two markers."""
    if readme.count(BEGIN) != 1 or readme.count(END) != 1 or readme.index(BEGIN) > readme.index(END):
        raise BenchError(f"the README needs one line {BEGIN} and, after it, one line {END}; type both, then again")
    before, _, rest = readme.partition(BEGIN)
    return f"{before}{BEGIN}\n{tables}{END}{rest.partition(END)[2]}"


def _report(results: Path, frontier: Path, readme: Path, *, check: bool) -> int:
    if not results.is_file():
        raise BenchError(f"there are no results in {results}; type: make bench")
    if not readme.is_file():
        raise BenchError(f"there is no {readme}; type: python benchmarks/report.py --readme FILE")
    points = read_json(frontier)["points"] if frontier.is_file() else []
    picture = frontier.with_suffix(".svg")
    inside = picture.resolve().is_relative_to(ROOT)
    link = picture.resolve().relative_to(ROOT).as_posix() if inside else str(picture)
    text = readme.read_text(encoding="utf-8")
    wanted = updated(text, rendered(read_json(results), points, link if points else None))
    if check:
        if wanted != text or (points and not picture.is_file()):
            raise BenchError(
                f"{readme.name} does not hold what {results.name} gives; type: python benchmarks/report.py"
            )
        return 0
    readme.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
