"""Reads thousands of broken and hostile files, made from the samples: `python tests/fuzz_readers.py`.

Every file must be read or be refused by name; anything else that is raised ends the run. An audit hook ends it too
where a reader opens a file, a socket or a process that it has no business with. Then every bomb of `bombs.py` is read
in a process of its own. The counts go to `tests/results/fuzz_readers.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import resource
import sys
import tempfile
import time
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile
from zoneinfo import TZPATH

from bombs import BOMBS, measure
from sample_files import SAMPLES, pdf_of_streams, zipped

from dispatch_qa.errors import InputRejected
from dispatch_qa.readers import pdf_pages, read_file, read_paths
from dispatch_qa.records import Dispatch

RESULT = Path(__file__).parent / "results" / "fuzz_readers.json"
SEED = 20_240

# What to put into a file: a line is one token; `\x` and the like are bytes, and `token*N` stands for N of them.
TOKENS = [
    token * int(times or 1)
    for token, _, times in (
        line.encode("latin-1").decode("unicode_escape").encode("latin-1").partition(b" *")
        for line in r"""
\0
\xff\xfe
\xef\xbb\xbf
\xed\xa0\x80
\r
\x1b[2J
\xe2\x80\xae
\n\n\n
&#0;
&#xD800;
&#1114112;
<
</
>
<!--
<![CDATA[
]]>
<?xml version='1.1'?>
&x;
&nbsp;
xmlns='x'
<p> *500
<!DOCTYPE x SYSTEM "file:///etc/passwd">
<!DOCTYPE x [<!ENTITY x SYSTEM "http://127.0.0.1:9/x">]>
<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
encoding="utf-7"
encoding="rot13"
charset=rot13
{
}
[ *300
null
1e999
-0
9 *5000
"\\ud800"
"\\u0000"
NaN
"uri":{}
"bodies":7
Content-Type: multipart/mixed; boundary=edge\n\n--edge\n
Content-Transfer-Encoding: base64\n
Content-Type: ;;=\n
Date: Fri, 99 Foo 0000\n
=?utf-8?q?=00?=
=?x?b?////?=
Message-ID: <\n
From:\n
/Length 999999999
/Filter [/FlateDecode /FlateDecode]
/Kids [2 0 R]
/Encrypt 1 0 R
/Count -5
/Type /ObjStm
/Prev 0
endobj
1 0 obj
stream\n
xref
startxref\n-1
<< *200
( *300
---\n
title: x\n
>  *200
*  *200
` *100
[a](b *100
| *100
PK\x03\x04
PK\x05\x06
PK\x01\x02
EMBARGO 99 June 2026\n
2026-13-45
0000-00-00T00:00
(Reporting by
UPDATE 999999999-
""".strip().splitlines()
    )
]


def mutants(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """`count` files, each from a sample in turn: its name, and its content with one to eight things wrong."""
    dice = random.Random(seed)
    samples = [(path.name, path.read_bytes()) for path in sorted(SAMPLES.iterdir())]
    for number in range(count):
        name, data = samples[number % len(samples)]
        for _ in range(dice.choice([1, 1, 2, 3, 8])):
            data = dice.choice([*_INSIDE.get(Path(name).suffix, []), _any])(dice, data, samples)
        yield f"{number}.{name}", data


Samples = list[tuple[str, bytes]]
Mutation = Callable[[random.Random, bytes, Samples], bytes]


def _any(dice: random.Random, data: bytes, samples: Samples) -> bytes:
    """One thing that may go wrong with any bytes."""
    at, length = dice.randrange(len(data) + 1), dice.choice([1, 2, 8, 64, 1_000])
    here, rest = data[:at], data[at:]
    match dice.randrange(9):
        case 0:
            return here + bytes([dice.randrange(256)]) + rest[1:]
        case 1 if rest:
            return here + bytes([rest[0] ^ 1 << dice.randrange(8)]) + rest[1:]
        case 2:
            return here + rest[length:]
        case 3:
            return here + rest[:length] * dice.choice([2, 10, 1_000]) + rest
        case 4:
            return here
        case 5:
            return here + dice.choice(TOKENS) + rest
        case 6:
            other = dice.choice(samples)[1]
            begin = dice.randrange(len(other))
            return here + other[begin : begin + length] + rest
        case 7:
            numbers = list(re.finditer(rb"\d+", data))
            if not numbers:
                return data
            number = dice.choice(numbers)
            return data[: number.start()] + dice.choice([b"0", b"-1", b"99999999999", b"1e9"]) + data[number.end() :]
        case _:
            return here + dice.randbytes(length) + rest


def _in_docx(dice: random.Random, data: bytes, samples: Samples) -> bytes:
    """Something wrong inside one file of the zip file."""
    try:
        with ZipFile(BytesIO(data)) as packed:
            entries: dict[str, str | bytes] = {name: packed.read(name) for name in packed.namelist()}
    except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError):
        return _any(dice, data, samples)  # broken by an earlier step
    name = dice.choice(sorted(entries) or [""])
    content = entries.get(name, b"")
    entries[name] = _any(dice, content.encode() if isinstance(content, str) else content, samples)
    return zipped(entries)


def _in_pdf(dice: random.Random, data: bytes, samples: Samples) -> bytes:
    """Something wrong inside the packed pages."""
    streams = re.findall(rb"stream\n(.*?)\nendstream", data, re.DOTALL)
    try:
        pages = [zlib.decompress(stream) for stream in streams]
    except zlib.error:
        return _any(dice, data, samples)
    if not pages:
        return _any(dice, data, samples)
    number = dice.randrange(len(pages))
    pages[number] = _any(dice, pages[number], samples)
    return pdf_of_streams([zlib.compress(page) for page in pages])


_INSIDE: dict[str, list[Mutation]] = {".docx": [_in_docx] * 3, ".pdf": [_in_pdf]}


FORBIDDEN = {"os.system", "os.exec", "os.posix_spawn", "pickle.find_class", "os.remove", "os.rename", "ctypes.dlopen"}


class Watch:
    """An audit hook that ends the run where a reader reaches for what is none of its business."""

    def __init__(self) -> None:
        self.on = False
        self.seen: Counter[str] = Counter()
        self.file = ""
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        self.seen[event] += 1
        path = str(arguments[0]) if arguments else ""
        # Beside the file itself: the libraries, and the time zones that embargoes name.
        mine = path == self.file or path.startswith((sys.prefix, sys.base_prefix, *TZPATH))
        # A pipe to the PDF process is opened by number.
        if (event == "open" and not mine and not path.isdigit()) or event.startswith("socket.") or event in FORBIDDEN:
            raise SystemExit(f"reading {self.file} reached for {event} {arguments!r}")
        if event == "subprocess.Popen" and str(pdf_pages.__file__) not in arguments[1]:
            raise SystemExit(f"reading {self.file} started {arguments[1]!r}")


def check(dispatch: Dispatch) -> None:
    """Whether a dispatch that came out of a broken file is whole all the same."""
    text = dispatch.text
    assert text.encode().strip()
    assert unicodedata.is_normalized("NFC", text)
    assert not {"\r", "\0"} & set(text)
    assert dispatch.id == " ".join(dispatch.id.split()) != ""
    assert all(0 <= span.start < span.end <= len(text) for _, span in dispatch.marks)
    assert list(dispatch.pages) == sorted(dispatch.pages)
    assert all(0 <= start <= len(text) for start in dispatch.pages)
    assert dispatch.status in {None, "usable", "corrected", "withheld", "canceled"}
    for name in ("slug", "headline", "agency", "byline", "credit", "dateline", "version", "advisory"):
        value = getattr(dispatch, name)
        assert value is None or value.encode().strip()
    for when in (dispatch.embargo, dispatch.filed_at):
        assert when is None or datetime.fromisoformat(when)


def refusal(error: InputRejected, file: Path) -> None:
    """Whether a refusal names its file, in characters that a terminal shows as they are."""
    assert str(error).startswith(str(file)), error
    assert str(error).isprintable(), error


def computing() -> float:
    """Seconds of computing so far, of this process and of those that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def run(count: int, seed: int, watch: Watch) -> dict[str, Any]:
    """Read `count` mutants; the counts, by format and in all."""
    # The libraries are loaded first: urllib3, which trafilatura brings, asks at its import whether there is IPv6.
    read_paths([SAMPLES])
    counts: dict[str, Counter[str]] = {}
    longest = most = (0.0, "")
    with tempfile.TemporaryDirectory() as folder:
        for name, data in mutants(count, seed):
            file = Path(folder, name)
            file.write_bytes(data)
            outcome = counts.setdefault(name.partition(".")[2], Counter())
            started, used = time.perf_counter(), computing()
            watch.file, watch.on = str(file), True
            try:
                dispatches = read_file(file)
            except InputRejected as error:
                outcome["rejected"] += 1
                refusal(error, file)
            else:
                outcome["read"] += 1
                for dispatch in dispatches:
                    check(dispatch)
            finally:
                watch.on = False
            longest = max(longest, (time.perf_counter() - started, name))
            most = max(most, (computing() - used, name))
            file.unlink()
    return {
        "seed": seed,
        "mutants": count,
        "read": sum(outcome["read"] for outcome in counts.values()),
        "rejected": sum(outcome["rejected"] for outcome in counts.values()),
        "crashed": 0,
        "sockets": 0,
        "files_opened_beside_the_own": 0,
        "longest_s": round(longest[0], 2),
        "longest": longest[1],
        "most_computing_s": round(most[0], 2),
        "most_computing": most[1],
        "by_sample": {name: dict(sorted(outcome.items())) for name, outcome in sorted(counts.items())},
    }


def main() -> None:
    """Run, and write the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=2_800)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    # Seconds by the clock count on a machine that does nothing else; seconds of computing count on any.
    load = os.getloadavg()[0]
    result = run(options.mutants, options.seed, Watch())
    for who, name in ((resource.RUSAGE_SELF, "peak_mb"), (resource.RUSAGE_CHILDREN, "peak_mb_of_the_pdf_process")):
        result[name] = resource.getrusage(who).ru_maxrss // 1_000
    result["bombs"] = {name: measure(name) for name in BOMBS}
    for name, worst in (
        ("bombs_longest_s", "seconds"),
        ("bombs_most_computing_s", "computing_s"),
        ("bombs_peak_mb", "peak_mb"),
    ):
        result[name] = max(cost[worst] for cost in result["bombs"].values())
    result["cores"], result["load_before"] = os.cpu_count(), round(load, 1)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
