"""Who may import whom, and what may load when: the design's one direction, held by a test."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dispatch_qa
from dispatch_qa.embed import load_embedder
from dispatch_qa.settings import DEFAULT_MODEL, default_cache

PACKAGE = Path(dispatch_qa.__file__).parent

BASE = {"records", "errors", "settings"}
READING = {"errors", "records", "readers.compose", "readers.limits"}
FORMATS = "docx feed html jsonlines mail markdown newsml ninjs nitf pdf text"
STORE = {f"store.{name}" for name in ("change", "engine", "files", "index", "schema", "truth", "writer")}
# Which modules of the package each one may import. A stage knows the records that cross it, not its neighbours.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "records": set(),
    "settings": {"errors"},
    "language": set(),
    "nations": set(),
    # The registry knows every format; a format knows what all share, and where one holds another, that one.
    "readers": {"errors", "records", "readers.folder", "readers.guard", "readers.limits"}
    | {f"readers.{name}" for name in FORMATS.split()},
    "readers.folder": {"errors"},
    "readers.limits": {"errors"},
    "readers.guard": {"errors"},
    "readers.wire_words": set(),
    "readers.wire": {"records", "readers.wire_words"},
    "readers.compose": {"errors", "records", "language", "readers.limits", "readers.wire"},
    "readers.markup": {"errors", "readers.limits"},
    "readers.xml": {"errors", "readers.limits"},
    "readers.text": {"errors", "records", "readers.compose"},
    "readers.markdown": READING | {"readers.guard", "readers.markup", "readers.text"},
    "readers.html": READING | {"readers.guard", "readers.markup", "readers.text"},
    "readers.mail": READING | {"readers.guard", "readers.markup"},
    "readers.docx": READING | {"readers.guard", "readers.xml"},
    # Runs by itself, in a process of its own.
    "readers.pdf_pages": set(),
    "readers.pdf": READING | {"readers.pdf_pages"},
    "readers.feed": READING | {"readers.guard", "readers.markup", "readers.xml"},
    "readers.nitf": READING | {"readers.markup", "readers.xml"},
    "readers.newsml": READING | {"readers.markup", "readers.nitf", "readers.xml"},
    "readers.ninjs": READING | {"readers.markup", "readers.text"},
    "readers.jsonlines": READING | {"readers.ninjs", "readers.text"},
    "split": {"records"},
    "e5s1": {"errors"},
    "models": {"errors", "settings", "e5s1"},
    "embed": {"settings", "models", "embed.protocol", "embed.onnx_lane", "embed.torch_lane"},
    "embed.protocol": {"errors"},
    "embed.onnx_graph": set(),
    "embed.quick_tokens": set(),
    # The lane checks itself on the shipped dispatch, against the other lane.
    "embed.onnx_lane": {
        "settings",
        "models",
        "embed.protocol",
        "embed.onnx_graph",
        "embed.quick_tokens",
        "embed.torch_lane",
        "readers",
    },
    "embed.torch_lane": {"errors", "settings", "models", "embed.protocol"},
    "store": {"errors", "records", *STORE},
    "store.engine": set(),
    "store.files": {"errors"},
    "store.schema": {"errors", "records", "lexical"},
    "store.truth": {"errors", "records", "store.schema"},
    "store.index": {"store.engine", "store.files", "store.schema", "store.truth"},
    "store.writer": {"records", "lexical", "alike", "store.schema", "store.truth"},
    "store.change": {"errors", "records", *STORE} - {"store.change", "store.engine"},
    "store.upkeep": {"errors", "records", "lexical", "alike", *STORE} - {"store.engine"},
    "question": {"errors", "settings"},
    "lexical": set(),
    "attribution": {"records"},
    "alike": set(),
    "versions": {"records", "split"},
    "verify": BASE | {"present", "qa", "versions"},
    "retrieve": {"records", "lexical", "alike"},
    "background": set(),
    "calibration": {"records"},
    "reader": {"models", "embed.onnx_lane", "reader.protocol", "reader.weights", "reader.onnx_reader"},
    "reader.protocol": {"records"},
    "reader.spans": {"records", "reader.protocol"},
    "reader.weights": {"errors"},
    "reader.evidence": {"records", "models", "calibration", "language", "nations", "reader"},
    # It is the encoder with other weights: its graph, its tokens, its way of preparing and of checking itself.
    "reader.onnx_reader": {
        "models",
        "readers",
        "embed.onnx_graph",
        "embed.onnx_lane",
        "embed.quick_tokens",
        "reader.protocol",
        "reader.spans",
        "reader.weights",
    },
    "answer": {"records", "errors", "calibration", "attribution"},
    "present": {"records"},
    "qa": BASE
    | {
        "store",
        "answer",
        "background",
        "calibration",
        "embed",
        "encode",
        "language",
        "lexical",
        "models",
        "question",
        "reader",
        "reader.evidence",
        "readers",
        "retrieve",
        "versions",
    },
    # The facade's other half: what goes into a store.
    "encode": BASE | {"store", "embed", "split"},
    "archive": BASE | {"store", "embed", "encode", "models", "readers", "readers.folder", "versions"},
    "commands_archive": BASE | {"archive", "options", "present", "qa", "verify", "versions", "store.upkeep"},
    "options": {"records", "settings"},
    "cli": BASE
    | {"__init__", "present", "qa", "answer", "evaluate", "options", "commands_archive", "verify", "commands_serve"},
    "commands_serve": BASE
    | {
        "options",
        "qa",
        "web",
        "web.mcp",
        "web.page",
        "web.pool",
        "web.server",
        "web.settings",
    },
    "__init__": BASE | {"qa"},
    # The harness sits beside the stages: the facade, the records, and what makes text and citations right.
    "evaluate": BASE | {"qa", "answer"} | {f"evaluate.{part}" for part in ("judged", "measure", "runs", "compare")},
    "evaluate.judged": {"errors", "records", "readers.text"},
    "evaluate.measure": {"evaluate.judged"},
    "evaluate.runs": {"__init__", "errors", "settings", "evaluate.measure", "evaluate.plots"},
    "evaluate.plots": {"evaluate.measure"},
    "evaluate.compare": {"errors", "evaluate.measure"},
    "__main__": {"cli"},
    # The page knows the records and a protocol; who serves it brings the facade.
    "followup": set(),
    "web": set(),
    "web.desk": {"records"},
    "web.adding": {"archive", "errors"},
    "web.bodies": BASE,
    "web.quiet": set(),
    "web.payload": {"answer", "lexical", "records", "present"},
    "web.routes": {"errors", "present", "readers", "web.api", "web.bodies", "web.desk"},
    "web.page": {
        "errors",
        "followup",
        "present",
        "web.api",
        "web.bodies",
        "web.desk",
        "web.payload",
        "web.quiet",
        "web.routes",
    },
    "web.settings": {"errors"},
    "web.pool": BASE | {"qa", "store"},
    "web.logs": set(),
    "web.metrics": set(),
    "web.asgi": set(),
    "web.doors": {"web.asgi"},
    "web.guard": {"readers.limits", "web.asgi", "web.doors", "web.settings"},
    "web.observe": {"web.asgi", "web.logs", "web.metrics"},
    "web.feedback": BASE | {"qa", "question", "answer", "language"},
    "web.api": BASE
    | {"qa", "answer", "present"}
    | {f"web.{name}" for name in ("adding", "bodies", "feedback", "logs", "pool", "settings")},
    "web.mcp": BASE | {"__init__", "present", "web.api", "web.bodies", "web.pool"},
    "web.server": BASE
    | {"__init__", "archive", "qa", "web.adding"}
    | {
        f"web.{name}"
        for name in ("api", "asgi", "feedback", "guard", "logs", "mcp", "metrics", "observe", "pool", "settings")
    },
}

HEAVY = {
    "torch",
    "transformers",
    "sentence_transformers",
    "faiss",
    "numpy",
    "gradio",
    "fastapi",
    "uvicorn",
    "mcp",
    "prometheus_client",
    "langchain_core",
    "yasbd",
    "onnxruntime",
    "trafilatura",
    "feedparser",
    "lxml",
    "pypdf",
    "charset_normalizer",
}


def module_names() -> list[str]:
    names = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        names.append(".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts))
    return names


def imports_of(name: str) -> set[str]:
    """The package's modules that a module imports, at its top or inside functions."""
    path = PACKAGE.joinpath(*name.split("."))
    tree = ast.parse((path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text(encoding="utf-8"))
    known = set(module_names())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "dispatch_qa":
            inside = node.module.removeprefix("dispatch_qa").removeprefix(".")
            below = [f"{inside}.{alias.name}".removeprefix(".") for alias in node.names]
            found |= {target if target in known else inside or "__init__" for target in below}
    return found


@pytest.mark.parametrize("name", module_names())
def test_a_module_imports_only_what_its_stage_may_know(name: str) -> None:
    assert name in MAY_IMPORT, f"{name} is new: say here what it may import"
    assert imports_of(name) <= MAY_IMPORT[name]


def test_the_rules_name_only_modules_that_exist() -> None:
    assert set(MAY_IMPORT) == set(module_names())


def loaded_after(code: str) -> set[str]:
    """The heavy libraries that a fresh process has loaded after `code`."""
    script = f"{code}\nimport sys\nprint(' '.join(name for name in sys.modules if '.' not in name), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return HEAVY & set(done.stderr.split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["ask", "--help"], ["build", "--help"], ["serve", "--help"], ["ask"]]
)
def test_help_version_and_usage_errors_load_nothing_heavy(arguments: list[str]) -> None:
    assert loaded_after(f"from dispatch_qa.cli import main; main({arguments})") == set()


@pytest.mark.model
def test_a_question_needs_no_torch() -> None:
    # Preparing the fast lane does: it is checked against torch, once.
    load_embedder(DEFAULT_MODEL, default_cache(), batch_size=32)
    loaded = loaded_after("from dispatch_qa.cli import main; main(['ask', 'Who spoke?'])")
    assert loaded == {"numpy", "faiss", "onnxruntime"}


def test_show_and_info_need_no_model() -> None:
    code = "from dispatch_qa.cli import main; main(['show', 'dispatch.fr']); main(['info'])"
    assert loaded_after(code) == set()


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_after("import dispatch_qa") == set()


def test_every_public_name_exists_and_is_listed_in_order() -> None:
    assert list(dispatch_qa.__all__) == sorted(dispatch_qa.__all__)
    assert all(hasattr(dispatch_qa, name) for name in dispatch_qa.__all__)


def test_modules_stay_small() -> None:
    long = {
        str(p.name): n for p in PACKAGE.rglob("*.py") if (n := len(p.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert long == {}
