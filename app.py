"""The page, at http://127.0.0.1:7860 unless told otherwise. Takes the options of `dispatch-qa serve`."""

import sys

from dispatch_qa.cli import main

if __name__ == "__main__":
    sys.exit(main(["serve", *sys.argv[1:]]))
