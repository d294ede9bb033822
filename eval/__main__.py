"""Score the shipped questions: `python eval [--part tune|report|all] [--json] [--runs DIR]`.

What is judged is the paragraph: a citation of any paragraph that answers counts.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from questions import judged_set

from dispatch_qa import Settings, evaluate, present


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=["tune", "report", "all"], default="report")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="keep the run, with its plots, in DIR")
    options = parser.parse_args()
    settings = Settings.from_env()
    figures, records = evaluate.evaluate(judged_set(options.part), settings)
    print(json.dumps(figures, indent=2) if options.json else present.eval_text(figures))
    print(
        f"Kept in {evaluate.keep(options.runs or settings.cache / 'eval' / 'runs', figures, records, settings)}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
