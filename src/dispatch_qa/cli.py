"""The command line. Data goes to stdout, everything else to stderr.

Exit codes: 0 answered, 1 not supported, 2 usage, 3 store or model missing or unusable, 4 input rejected,
5 store locked, 130 interrupted, 141 the reader closed the pipe.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO

import click

from dispatch_qa import __version__, commands_archive, commands_serve, options, present, qa, verify
from dispatch_qa.answer import cite
from dispatch_qa.errors import DispatchQAError, InputRejected
from dispatch_qa.records import Filter
from dispatch_qa.settings import DEFAULT_MODEL

NOT_SUPPORTED = 1
INTERRUPTED = 130
PIPE_CLOSED = 141


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dispatch-qa")
def cli() -> None:
    """Ask news dispatches a question in your own language.

    The answer is quoted letter for letter, with its place in the source, or it is a plain
    "the dispatches do not say". Nothing leaves this machine.
    """


@cli.command()
@click.argument("question", required=False)
@click.option(
    "--questions",
    "file",
    type=click.File("rb"),
    metavar="FILE",
    help="Ask every line of FILE (- for stdin); one line of JSON each.",
)
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE", help="Keep the answer: .json or .md.")
@options.k_option
@options.reader_option
@options.threshold_option
@options.filter_options
@options.index_option
@options.json_option
@options.color_option
def ask(
    question: str | None,
    file: IO[bytes] | None,
    save: Path | None,
    k: int | None,
    no_reader: bool,
    threshold: float | None,
    index: Path | None,
    as_json: bool,
    color: str,
    **wanted: str | None,
) -> int:
    """Answer QUESTION (- to read it from stdin) from the dispatches.

    Exits with 0 if the dispatches answer and with 1 if they do not say; with --questions, 0 if any line
    was answered, and 4 if any line was rejected.
    """
    if save and file:
        raise click.UsageError("--save keeps one answer: give one question")
    if (question is None) == (file is None):
        raise click.UsageError('give one question, as in: dispatch-qa ask "Who spoke?", or --questions FILE')
    dispatches = qa.DispatchQA(options.settings_of(index, no_reader, threshold), say=options.say)
    if file is not None:
        return _ask_all(dispatches, file, k, options.where(wanted))
    answer = dispatches.ask(_stdin() if question == "-" else str(question), k, options.where(wanted))
    if save:
        verify.save(answer, save)
    options.put(
        options.dumps(present.answer_json(answer))
        if as_json
        else present.answer_text(answer, color=options.colored(color))
    )
    return 0 if answer.supported else NOT_SUPPORTED


@cli.command()
@click.argument("question")
@click.option("--explain", is_flag=True, help="Show the parts of each score.")
@options.k_option
@options.reader_option
@options.filter_options
@options.index_option
@options.json_option
@options.color_option
def search(
    question: str,
    explain: bool,
    k: int | None,
    no_reader: bool,
    index: Path | None,
    as_json: bool,
    color: str,
    **wanted: str | None,
) -> int:
    """Show the passages nearest to QUESTION (- to read it from stdin), whether or not they answer it."""
    dispatches = qa.DispatchQA(options.settings_of(index, no_reader), say=options.say)
    question = _stdin() if question == "-" else question
    with dispatches.reading():
        hits = dispatches.search(question, k, options.where(wanted))
        citations = [cite(number, hit, dispatches.dispatch_of) for number, hit in enumerate(hits, start=1)]
    if as_json:
        options.put(options.dumps(present.hits_json(question, hits, citations)))
    else:
        options.put(present.hits_text(hits, citations, color=options.colored(color), explain=explain))
    return 0 if hits else NOT_SUPPORTED


@cli.command()
@click.argument("dispatch_id", metavar="ID")
@options.index_option
@options.json_option
def show(dispatch_id: str, index: Path | None, as_json: bool) -> int:
    """Print the text of dispatch ID, in which every offset counts (code points from 0)."""
    dispatch = qa.DispatchQA(options.settings_of(index), say=options.say).show(dispatch_id)
    if as_json:
        options.put(options.dumps(present.dispatch_json(dispatch)))
    else:
        options.put(present.visible(dispatch.text) if sys.stdout.isatty() else dispatch.text)
    return 0


@cli.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option(
    "--model",
    metavar="NAME",
    help=f"A sentence-transformers model: a folder or a hub name.  [default: {DEFAULT_MODEL}, which needs no network]",
)
@click.option("--force", is_flag=True, help="Replace a store though dispatches are lost with it, or it is damaged.")
@options.index_option
def build(paths: tuple[Path, ...], model: str | None, force: bool, index: Path | None) -> int:
    """Make a store from files and folders of dispatches, of any format that is read.

    Without PATH, the store that stands in --index is made again from its own text; an empty place gets
    the dispatch that ships with the package.
    """
    settings = options.settings_of(index)
    with options.progress("Embedding") as (total, step):
        dispatches = qa.build(settings, paths, model=model, force=force, say=options.say, total=total, step=step)
    click.echo(f"Built {settings.index}: {dispatches:,} dispatch{'es' if dispatches != 1 else ''}.", err=True)
    return 0


@cli.command()
@options.index_option
@options.json_option
def info(index: Path | None, as_json: bool) -> int:
    """Tell what a store holds and what it was made with."""
    found = qa.DispatchQA(options.settings_of(index), say=options.say).info()
    options.put(options.dumps(present.info_json(found)) if as_json else present.info_text(found))
    return 0


@cli.command("eval")
@click.argument("folders", nargs=-1, metavar="FOLDER...", type=click.Path(path_type=Path))
@click.option(
    "--unanswerable",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="JSON lines of questions that the dispatches do not answer; those in the set's languages are asked too.",
)
@click.option(
    "--runs",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Keep figures, what became of each question, and plots in DIR.  [default: eval/runs in the cache]",
)
@click.option(
    "--compare",
    nargs=2,
    metavar="A B",
    type=click.Path(path_type=Path),
    help="Instead of asking: compare two kept runs, question by question.",
)
@options.json_option
def evaluate_folders(
    folders: tuple[Path, ...],
    unanswerable: Path | None,
    runs: Path | None,
    compare: tuple[Path, Path] | None,
    as_json: bool,
) -> int:
    """Score retrieval, evidence and refusing on judged sets in BEIR's layout, one store a FOLDER."""
    if bool(folders) == bool(compare):
        raise click.UsageError("give folders to score, or --compare A B with two runs that were kept")
    try:
        from dispatch_qa import evaluate

        evaluate.require_libraries()
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"eval needs {error.name}, which is not installed: pip install 'dispatch-qa[eval]'"
        ) from error
    if compare:
        compared = [asdict(one) for one in evaluate.compare(*map(evaluate.read_records, compare))]
        options.put(options.dumps(present.compared_json(compared)) if as_json else present.compared_text(compared))
        return 0
    settings = options.settings_of(None)
    for folder in folders:
        judged = evaluate.read_folder(folder)
        languages = {query.language for query in judged.queries}
        extra = evaluate.read_unanswerable(unanswerable, languages) if unanswerable else []
        figures, found = evaluate.evaluate(judged, settings, extra, options.say)
        options.put(options.dumps(figures) if as_json else present.eval_text(figures))
        kept = evaluate.keep(runs or settings.cache / "eval" / "runs", figures, found, settings)
        click.echo(f"Kept in {kept}", err=True)
    return 0


commands_archive.register(cli)
cli.add_command(commands_serve.serve)
cli.add_command(commands_serve.mcp)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        # Not `cli.main`, which has codes of its own for interrupts and closed pipes.
        with cli.make_context("dispatch-qa", sys.argv[1:] if arguments is None else list(arguments)) as context:
            return int(cli.invoke(context))
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show(file=sys.stderr)
        return error.exit_code
    except DispatchQAError as error:
        click.echo(f"dispatch-qa: {error}", err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away; nothing more can be said, not even by the interpreter's own last flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def _ask_all(dispatches: qa.DispatchQA, file: IO[bytes], k: int | None, wanted: Filter | None) -> int:
    answered = rejected = False
    for number, line in _lines(file):
        try:
            answer = dispatches.ask(_decoded(line), k, wanted)
        except InputRejected as error:
            rejected = True
            click.echo(f"dispatch-qa: line {number}: {error}", err=True)
            continue
        answered |= answer.supported
        options.put(json.dumps(present.answer_json(answer), ensure_ascii=False))
    return InputRejected.exit_code if rejected else 0 if answered else NOT_SUPPORTED


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not blank, with their numbers from 1."""
    return ((number, line) for number, line in enumerate(file, start=1) if line.strip())


def _stdin() -> str:
    return _decoded(sys.stdin.buffer.read())


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputRejected("the question is not text: it holds bytes that are not UTF-8") from error
