"""The page, at http://127.0.0.1:7860 unless told otherwise: `python app.py`."""

import os

from dispatch_qa.settings import Settings
from dispatch_qa.web.start import serve

if __name__ == "__main__":
    serve(Settings.from_env(), port=int(os.environ.get("DISPATCH_QA_PORT", "7860")))
