"""The commands that change an archive: each is parse, one call, render, exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click

from dispatch_qa import archive, options, present, qa, verify, versions
from dispatch_qa.errors import InputRejected, StoreDamaged
from dispatch_qa.store import upkeep

NOT_ALL = 1

_folder = click.argument("folder", type=click.Path(path_type=Path))


def register(group: click.Group) -> None:
    """Add the commands of this module to a group."""
    for command in (add, sync, watch, remove, list_dispatches, diff, verify_file, check, export, bring_in, migrate):
        group.add_command(command)


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path))
@options.index_option
@options.json_option
def add(paths: tuple[Path, ...], index: Path | None, as_json: bool) -> int:
    """Add the dispatches of files and folders to a store, which is made where there is none.

    A file that is there already and has not changed costs nothing; one that has changed replaces what came from
    it. A file that cannot be used is named with the reason, the others are stored, and the exit code is 4.
    """
    with _resumable(), options.progress("Adding") as (total, step):
        report = _archive(index).add(paths, total=total, step=step)
    return _told(report, as_json)


@click.command()
@_folder
@click.option("--empty", is_flag=True, help="Remove all that came from FOLDER where it holds no file any more.")
@options.index_option
@options.json_option
def sync(folder: Path, empty: bool, index: Path | None, as_json: bool) -> int:
    """Make a store follow FOLDER: what is new is added, what changed is replaced, what is gone is removed."""
    with _resumable(), options.progress("Syncing") as (total, step):
        report = _archive(index).sync(folder, empty=empty, total=total, step=step)
    return _told(report, as_json)


@click.command()
@_folder
@options.index_option
@options.json_option
def watch(folder: Path, index: Path | None, as_json: bool) -> int:
    """Sync FOLDER, then go on following it until interrupted (Ctrl-C)."""

    def told(report: archive.Report) -> None:
        if any((report.added, report.replaced, report.removed, report.failed)):
            _told(report, as_json)

    click.echo(f"Watching {folder}; Ctrl-C ends it.", err=True)
    _archive(index).watch(folder, told)
    return 0


@click.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@options.index_option
@options.json_option
def remove(ids: tuple[str, ...], index: Path | None, as_json: bool) -> int:
    """Remove dispatches from a store, with every trace of them."""
    return _told(_archive(index).remove(ids), as_json)


@click.command("list")
@options.filter_options
@options.index_option
@options.json_option
def list_dispatches(index: Path | None, as_json: bool, **wanted: str | None) -> int:
    """List the dispatches of a store: id, date, language, agency, slug, version, status."""
    listed = _archive(index).listed(options.where(wanted))
    if as_json:
        options.put(options.dumps(listed))
        return 0
    shown = ("id", "filed_at", "language", "agency", "slug", "version", "status")
    for one in listed:
        options.put(present.visible("\t".join(one[name] or "-" for name in shown)))
    return 0


@click.command()
@click.argument("dispatch_id", metavar="ID")
@options.index_option
@options.json_option
def diff(dispatch_id: str, index: Path | None, as_json: bool) -> int:
    """Show what take ID changed in the one before it, sentence by sentence, led by its advisory."""
    dispatches = qa.DispatchQA(options.settings_of(index), say=options.say)
    with dispatches.reading():
        new = dispatches.show(dispatch_id)
        takes = dispatches.takes_of(dispatch_id)
        earlier = takes[: takes.index(dispatch_id)]
        if not earlier:
            raise InputRejected(f"{dispatch_id!r} is the first take of its story: there is nothing to compare it with")
        old = dispatches.show(earlier[-1])
    changed = versions.changes(old, new)
    if as_json:
        options.put(options.dumps(present.diff_json(old, new, changed)))
    else:
        options.put(present.diff_text(old, new, changed))
    return 0


@click.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@options.index_option
@options.json_option
def verify_file(file: Path, index: Path | None, as_json: bool) -> int:
    """Compare an answer that was saved (ask --save FILE) with the store: what stands, moved, was corrected, is gone.

    Exits with 0 where every quote still stands, if elsewhere, else with 1.
    """
    verdicts = verify.verify(file, qa.DispatchQA(options.settings_of(index), say=options.say))
    if as_json:
        options.put(options.dumps([asdict(verdict) for verdict in verdicts]))
    for one in [] if as_json else verdicts:
        options.put(present.visible(f"[{one.number}] {one.dispatch_id}: {one.state} ({one.detail})"))
    return 0 if verify.all_stand(verdicts) else NOT_ALL


@click.command()
@click.option("--repair", is_flag=True, help="Make again what is derived, where it is wrong.")
@options.index_option
def check(repair: bool, index: Path | None) -> int:
    """Verify a whole store: every digest, span, vector and sum, and all that is derived.

    Exits with 0 where all is well or was mended, else with 3.
    """
    folder = options.settings_of(index).index
    if repair:
        for line in upkeep.repair(folder):
            options.put(f"mended: {line}")
    wrong, derived = upkeep.check(folder)
    for line in wrong:
        options.put(f"damaged: {line}")
    for line in derived:
        options.put(f"to be mended with --repair: {line}")
    if not wrong and not derived:
        options.put("all is well")
    return StoreDamaged.exit_code if wrong or derived else 0


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@options.index_option
def export(file: Path, index: Path | None) -> int:
    """Write a whole store into FILE: dispatches, vectors, and what they were made with."""
    count = upkeep.export(options.settings_of(index).index, file)
    click.echo(f"Exported {_dispatches(count)} into {file}.", err=True)
    return 0


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Drop the dispatches that are in the store.")
@options.index_option
def bring_in(file: Path, force: bool, index: Path | None) -> int:
    """Make the store in --index the one that was exported into FILE."""
    folder = options.settings_of(index).index
    count = upkeep.bring_in(folder, file, force=force)
    click.echo(f"Imported {_dispatches(count)} into {folder}.", err=True)
    return 0


@click.command()
@options.index_option
def migrate(index: Path | None) -> int:
    """Bring a store of an earlier format over to this version's, without the model."""
    folder = options.settings_of(index).index
    count = upkeep.migrate(folder)
    done = "is of this version's format already" if count is None else f"was brought over: {_dispatches(count)}"
    click.echo(f"{folder} {done}.", err=True)
    return 0


@contextmanager
def _resumable() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        click.echo("Interrupted. What was committed stands; the same command goes on from there.", err=True)
        raise


def _dispatches(count: int) -> str:
    return f"{count:,} dispatch{'es' if count != 1 else ''}"


def _archive(index: Path | None) -> archive.Archive:
    return archive.Archive(options.settings_of(index), say=options.say)


def _told(report: archive.Report, as_json: bool) -> int:
    """Print a report; the exit code that it gives."""
    for reason in report.failed.values():
        click.echo(f"dispatch-qa: {present.visible(reason)}", err=True)
    counts = {name: len(getattr(report, name)) for name in ("added", "replaced", "removed", "repeated", "failed")}
    counts["unchanged"] = report.unchanged
    if as_json:
        lists = {name: getattr(report, name) for name in ("added", "replaced", "removed", "repeated", "failed")}
        options.put(options.dumps({**lists, "unchanged": report.unchanged}))
    else:
        told = [f"{count:,} {name}" for name, count in counts.items() if count]
        click.echo(f"{', '.join(told) or 'nothing to do'}.", err=True)
    return InputRejected.exit_code if report.failed else 0
