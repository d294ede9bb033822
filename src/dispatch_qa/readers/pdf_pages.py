"""The text of a PDF's pages, taken in a process of its own: `python -I pdf_pages.py LIMITS < FILE`.

A PDF is a program for drawing, and a hostile one is a program for using up the machine. So this process may use a set
amount of memory and of time, opens no file and no socket, and whatever it dies of, it dies alone. It prints a line of
JSON for each page. It imports nothing of the package: `-I` keeps the folder of this file off the path.
"""

from __future__ import annotations

import json
import logging
import sys
import time

_IMPORTS = (sys.prefix, sys.base_prefix)


def main() -> None:
    """Read the file from stdin and print its pages; what is wrong with it goes to stderr, as the last line."""
    limits = json.loads(sys.argv[1])
    data = sys.stdin.buffer.read()
    # pypdf tells of every oddity that it mends.
    logging.disable(logging.CRITICAL)
    from io import BytesIO

    from pypdf import PdfReader, overwrite_configuration

    _confine(limits["memory"])
    most = limits["expanded"]
    overwrite_configuration(
        zlib_maximum_output_length=most,
        lzw_maximum_output_length=most,
        run_length_maximum_output_length=most,
        brotli_maximum_output_length=most,
        array_based_stream_maximum_output_length=most,
        jbig2dec_binary=None,
    )
    allow = _Clock(limits["seconds"], limits["seconds_a_page"])
    allow(0)
    reader = PdfReader(BytesIO(data), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        raise SystemExit("it is locked by a password; save it without one")
    if (count := len(reader.pages)) > limits["pages"]:
        raise SystemExit(f"it has {count:,} pages; at most {limits['pages']:,} are read")
    characters = 0
    for number, page in enumerate(reader.pages, start=1):
        text = page.extract_text()
        characters += len(text)
        if characters > limits["characters"]:
            raise SystemExit(f"it has more than {limits['characters']:,} characters")
        sys.stdout.write(json.dumps(text) + "\n")
        allow(number)


class _Clock:
    """Ends the process where its work takes more computing than the pages done so far explain."""

    def __init__(self, seconds: float, seconds_a_page: float) -> None:
        self._seconds, self._seconds_a_page = seconds, seconds_a_page

    def __call__(self, pages: int) -> None:
        try:
            import resource
        except ModuleNotFoundError:  # Windows: the caller's patience is the limit
            return
        most = (
            int(time.process_time() + self._seconds) if not pages else int(self._seconds + pages * self._seconds_a_page)
        )
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(resource.RLIMIT_CPU, (most, hard))


def _confine(memory: int) -> None:
    """Set the most memory, and refuse every file, socket and process from here on."""
    try:
        import resource
    except ModuleNotFoundError:
        pass
    else:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def refuse(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and str(arguments[0]).startswith(_IMPORTS) and arguments[1] in {"r", "rb", None}:
            return
        if event in {"open", "os.system", "os.exec", "os.fork", "os.posix_spawn"} or event.startswith(
            ("socket.", "subprocess.", "shutil.", "urllib.", "ctypes.dlopen")
        ):
            raise PermissionError(f"it asks for {event}")

    sys.addaudithook(refuse)


if __name__ == "__main__":
    main()
