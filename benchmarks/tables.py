"""Results to Markdown: pure functions, no file is read here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from benchmarks.targets import TARGETS, Target

Results = dict[str, Any]

QUIET = 0.5
"""Load average of the last minute before a run, above which others' work is in the figures."""


def summary(results: Results, others: Sequence[Results] = ()) -> str:
    """The tables of a run that a reader of the README wants: what was asked for, and the cold question.

    Args:
        others: the same run on other machines, of which only what was asked for is told.
    """
    return _joined([*_asked(results, others), _titled(results["figures"]["cold_ask"])])


def rendered(
    results: Results,
    frontier: Sequence[dict[str, Any]] = (),
    plot: str | None = None,
    lexical: Results | None = None,
    profile: Results | None = None,
    others: Sequence[Results] = (),
) -> str:
    """All tables of a run: what was asked for, then figure by figure, frontier, search by words and profile."""
    parts = [*_asked(results, others), *map(_titled, results["figures"].values())]
    if frontier:
        parts.append(f"**Speed against recall of the encoder, all points tried**\n\n{_frontier(frontier)}")
    if plot:
        parts.append(f"![Speed against recall]({plot})")
    if lexical:
        parts.append(f"**Search by words within a language, by engine and terms, percent**\n\n{_recall(lexical)}")
        parts.append(f"**Search by words as it grows: real text, the shipped terms**\n\n{_growth(lexical)}")
    if profile:
        parts += [f"**Where the time goes: {title}**\n\n{_shares(part)}" for title, part in _profiled(profile)]
    return _joined(parts)


def number(value: float) -> str:
    """Three significant digits, thousands apart."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def ratio(value: float) -> str:
    """A ratio as people say it: 1/7.2, 5.1×."""
    if value <= 0:
        return number(value)
    return f"1/{1 / value:.3g}" if value < 0.95 else f"{value:.3g}×"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table: the first column to the left, all others to the right."""
    lines = [head, ["---", *(["---:"] * (len(head) - 1))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def _titled(figure: dict[str, Any]) -> str:
    return f"**{figure['title']}**\n\n{_figure(figure)}"


def _origin(results: Results) -> str:
    machine, options = results["machine"], results["options"]
    busy = machine["load_before"] > QUIET
    warning = f"**Not to be relied on: the machine was busy (load {machine['load_before']}).** " if busy else ""
    return warning + (
        f"Measured on {results['date'][:10]} at commit `{results['commit'][:10]}`: {machine['cpu']}, "
        f"{machine['cores']} cores, {machine['memory_gb']} GB, {machine['os']}, Python {machine['python']}. "
        f"Medians of interleaved rounds ({options['repeats']} fresh processes, {options['rounds']} rounds of loaded "
        "ones), smallest and largest in brackets; ratios are of medians of the same run. Raw values and versions: "
        "`benchmarks/results/latest.json`, method and caveats: `benchmarks/README.md`."
    )


def _asked(results: Results, others: Sequence[Results]) -> list[str]:
    return [_origin(results), *map(_beside, others), _targets(results, others)]


def _beside(results: Results) -> str:
    """Where and when the same was measured on another machine."""
    machine = results["machine"]
    return (
        f"On {machine['cpu']}, {machine['cores']} cores: the same run on {results['date'][:10]} at commit "
        f"`{results['commit'][:10]}`, with a load of {machine['load_before']:g} when it began."
    )


def _targets(results: Results, others: Sequence[Results]) -> str:
    rows = []
    for target in TARGETS:
        reached = [target.reached(one) for one in (results, *others)]
        if reached[0] is None:
            continue
        shown = [cell for value in reached for cell in _reached(target, value)]
        rows.append([target.what, target.asked, target.stretch or "–", *shown])
    named = [cell for one in others for cell in (f"on {one['machine']['cpu']}", "met")]
    return table(["what", "target", "stretch", "reached", "met", *named], rows) if rows else ""


def _reached(target: Target, value: float | None) -> tuple[str, str]:
    """A value as it is told, and whether it is what was asked for."""
    if value is None:
        return "–", "–"
    return ratio(value) if target.baseline else number(value), "yes" if target.is_met(value) else "no"


def _figure(figure: dict[str, Any]) -> str:
    measures = list(figure["measures"].values())
    head, names = [""], list(measures[0]["series"])
    for measure in measures:
        head += [measure["label"], *(f"of {base}" for base in _bases(measure))]
    rows = []
    for name in names:
        row = [name]
        for measure in measures:
            found = measure["series"].get(name)
            row.append(_cell(found) if found else "")
            row += [_share(found, base) for base in _bases(measure)]
        rows.append(row)
    return table(head, rows)


def _bases(measure: dict[str, Any]) -> list[str]:
    """The baselines of a measure, in the order in which they first appear."""
    return list(dict.fromkeys(base for found in measure["series"].values() for base in found["ratio"]))


def _cell(found: dict[str, Any]) -> str:
    low, middle, high = (number(found[key]) for key in ("min", "median", "max"))
    return middle if low == high else f"{middle} ({low}–{high})"


def _share(found: dict[str, Any] | None, base: str) -> str:
    return ratio(found["ratio"][base]) if found and base in found["ratio"] else ""


def _frontier(points: Sequence[dict[str, Any]]) -> str:
    keys = [key for key in dict.fromkeys(key for point in points for key in point) if key not in ("name", "shipped")]
    labels = {"passages_per_s_ratio": "throughput, of torch fp32", "mrr_loss": "MRR@10 lost, points"}
    head = ["", *(labels.get(key, key.replace("_", " ")) for key in keys)]
    rows = []
    for point in points:
        name = f"**{point['name']}** (shipped)" if point.get("shipped") else str(point["name"])
        rows.append([name, *(_plain(key, point.get(key)) for key in keys)])
    return table(head, rows)


def _recall(lexical: Results) -> str:
    rows = lexical["recall"]
    sets = [name for name in rows[0] if name not in ("engine", "terms")]
    measures = list(rows[0][sets[0]])
    head = ["engine", "terms", *(f"{name}: {' / '.join(measures)}" for name in sets)]
    return table(
        head,
        [
            [row["engine"], row["terms"], *(" / ".join(f"{row[name][key]:.1f}" for key in measures) for name in sets)]
            for row in rows
        ],
    )


def _growth(lexical: Results) -> str:
    head = ["engine", "passages", "built, s", "ten more, s", "p50, ms", "on disk, MB", "resident, its input too, MB"]
    return table(
        head,
        [
            [
                row["engine"],
                f"{row['passages']:,}",
                *(number(row[key]) for key in ("build_s", "add_s", "p50_ms")),
                number(row["bytes"] / 1e6),
                number(row["rss_mb"]),
            ]
            for row in lexical["growth"]
        ],
    )


def _profiled(profile: Results) -> Iterator[tuple[str, dict[str, Any]]]:
    commit = f"commit `{profile['commit'][:10]}`"
    for part in profile["encoder"]:
        yield f"the encoder on {part['tokens']} tokens, {number(part['ms'])} ms on one core ({commit})", part
    yield f"a warm question, {number(profile['warm']['ms'])} ms, without the reader ({commit})", profile["warm"]
    yield f"a cold question, {number(profile['cold']['ms'])} ms after Python's own start ({commit})", profile["cold"]


def _shares(part: dict[str, Any]) -> str:
    """A tree of shares, what is inside a function indented under it."""
    rows = [["\u2003" * row["depth"] + f"`{row['name']}`", f"{100 * row['share']:.0f}"] for row in part["rows"]]
    return table(["in it and in what it calls", "% of the time"], rows)


def _plain(key: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "" if value is None else str(value)
    if key.endswith("_ratio"):
        return ratio(value)
    return f"{value:.4f}" if "cosine" in key else f"{value:g}"
