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

from babel import Locale
from babel.core import get_global

from dispatch_qa.nations import FILE, beginning, plain

OWN = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
TARGET = Path(__file__).parent.parent / "src" / "dispatch_qa" / FILE
CONTINENTS = {"Africa": "002", "Asia": "142", "Europe": "150"}  # as time zones call them
LEAST, LEAST_LATIN, LEAST_OF_TWO = 5, 6, 4  # letters that a territory's name keeps: Latin ones change less


def names(language: str) -> dict[str, str]:
    """A language's names, as `dispatch_qa.nations` reads them."""
    locale = Locale.parse(language)
    found: dict[str, set[str]] = defaultdict(set)
    nations = {code for code in get_global("territory_zones") if len(code) == 2}
    for code in {*nations, *CONTINENTS.values()} - {*OWN["other senses"].get(language, "").split()}:
        words = [plain(word) for word in re.findall(r"[^\W_]+", locale.territories.get(code, ""))]
        if len(words) == 1 and (language == "zh" or len(words[0]) >= LEAST):
            found[code].add(beginning(words[0], LEAST_LATIN if words[0].isascii() else LEAST))
        elif len(words) == 2:
            found[code].add(" ".join(beginning(word, LEAST_OF_TWO) for word in words))
    for spoken, code in OWN["spoken in"].items():
        word = plain(locale.languages[spoken].split()[0])
        if language != "zh" and len(word) >= LEAST:
            found[code].add(beginning(word, LEAST))
    for code, several in OWN["more"][language].items():
        found[code].update(map(plain, several.split()))
    return {code: "|".join(sorted(found[code])) for code in sorted(found)}


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
    print(f"{len(languages)} languages, {TARGET.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
