"""`python -m dispatch_qa`."""

from dispatch_qa.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
