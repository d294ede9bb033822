"""A page over two stores: `python tests/two_stores.py INDEX OTHER`."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from dispatch_qa import DispatchQA, Settings
from dispatch_qa.web.page import mount

if __name__ == "__main__":
    first, other = (DispatchQA(replace(Settings.from_env(), index=Path(path))) for path in sys.argv[1:])
    app = mount(FastAPI(), first, others={"archive": other})
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["DISPATCH_QA_PORT"]), log_level="warning")
