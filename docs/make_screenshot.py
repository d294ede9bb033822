"""Draw what a terminal shows for one question: `make screenshot` writes `docs/ask.svg` from the real output."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

QUESTION = "Which British firms attended?"
TARGET = Path(__file__).parent / "ask.svg"


def main() -> None:
    """Ask, and save the answer as a picture."""
    command = [sys.executable, "-m", "dispatch_qa", "ask", QUESTION, "-k", "2", "--color", "always"]
    shown = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    # What rich prints itself is not wanted, only its record of it.
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=100, file=nowhere)
        console.print(Text.assemble(("$ ", "bold green"), f'dispatch-qa ask "{QUESTION}" -k 2\n'))
        console.print(Text.from_ansi(shown))
        picture = console.export_svg(title="dispatch-qa")
    # rich names a font on a CDN; the picture asks nobody and takes the reader's own.
    TARGET.write_text(re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()
