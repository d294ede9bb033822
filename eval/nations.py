"""Make the table of nations' names: `python eval/nations.py`. Needs Babel.

From CLDR's names of territories and languages, which Babel carries: "Pologne", and "polonais", as the people is called
too. What CLDR does not tell is in `nations.json` beside this file: which languages are called as a nation is, how more
words begin (peoples above all, and names too short to be told by a rule), and which names a wire uses for something
else ("réunion", "grenade", "mali" for "they had"). Writes `src/dispatch_qa/data/nations.json`.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from babel import Locale
from babel.core import get_global

from dispatch_qa.nations import FILE, beginning, plain

OWN = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
TARGET = Path(__file__).parent.parent / "src" / "dispatch_qa" / FILE
CONTINENTS = {"Africa": "002", "Asia": "142", "Europe": "150"}  # as time zones call them
LEAST, LEAST_LATIN, LEAST_OF_TWO = 5, 6, 4  # letters that a territory's name keeps: Latin ones change less


def names(language: str) -> dict[str, Any]:
    """A language's names, as `dispatch_qa.nations` reads them."""
    locale = Locale.parse(language)
    begins: dict[str, set[str]] = defaultdict(set)
    pairs: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    nations = {code for code in get_global("territory_zones") if len(code) == 2}
    for code in {*nations, *CONTINENTS.values()} - {*OWN["other senses"].get(language, "").split()}:
        words = [plain(word) for word in re.findall(r"[^\W_]+", locale.territories.get(code, ""))]
        if len(words) == 1 and (language == "zh" or len(words[0]) >= LEAST):
            begins[beginning(words[0], LEAST_LATIN if words[0].isascii() else LEAST)].add(code)
        elif len(words) == 2:
            first, second = (beginning(word, LEAST_OF_TWO) for word in words)
            pairs[first][second].add(code)
    for spoken, code in OWN["spoken in"].items():
        word = plain(locale.languages[spoken].split()[0])
        if language != "zh" and len(word) >= LEAST:
            begins[beginning(word, LEAST)].add(code)
    for code, several in OWN["more"][language].items():
        for word in several.split():
            begins[plain(word)].add(code)
    return {"begins": _joined(begins), "pairs": {first: _joined(pairs[first]) for first in sorted(pairs)}}


def _joined(names: dict[str, set[str]]) -> dict[str, str]:
    return {name: " ".join(sorted(codes)) for name, codes in sorted(names.items())}


def main() -> None:
    """Write the table."""
    first_zones = {code: zones[0].split("/")[0] for code, zones in get_global("territory_zones").items() if zones}
    languages = {language: names(language) for language in OWN["more"]}
    table = {
        "languages": languages,
        "short": {word: code for code, several in OWN["short"].items() for word in several.split()},
        "within": {code: CONTINENTS[zone] for code, zone in sorted(first_zones.items()) if zone in CONTINENTS},
    }
    TARGET.write_text(json.dumps(table, ensure_ascii=False, indent=0, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{sum(len(one['begins']) for one in languages.values()):,} words, {TARGET.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
