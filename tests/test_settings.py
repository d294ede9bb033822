from __future__ import annotations

from pathlib import Path

import pytest

from dispatch_qa.errors import InputRejected
from dispatch_qa.settings import Settings, default_cache, shipped_index

NUMBERS = ["k", "candidates", "passage_tokens", "batch_size"]


def with_number(name: str, value: int) -> Settings:
    return Settings(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [0, -1, 10_001])
def test_a_number_out_of_range_is_refused_by_name(name: str, value: int) -> None:
    with pytest.raises(InputRejected, match=f"{name} is {value}; it must lie between 1 and 10,000"):
        with_number(name, value)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [1, 10_000])
def test_both_ends_of_the_range_are_allowed(name: str, value: int) -> None:
    assert getattr(with_number(name, value), name) == value


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_env({}) == Settings(index=shipped_index(), cache=default_cache())
    assert Settings.from_env({}).k == 3


def test_the_environment_names_index_and_cache() -> None:
    settings = Settings.from_env({"DISPATCH_QA_INDEX": "/a/b", "DISPATCH_QA_CACHE": "/c"})
    assert (settings.index, settings.cache) == (Path("/a/b"), Path("/c"))


def test_the_environment_turns_the_reader_off() -> None:
    assert Settings.from_env({"DISPATCH_QA_READER": "off"}).reader == "off"
    with pytest.raises(InputRejected, match="reader is 'on'; it must be 'auto' or 'off'"):
        Settings(reader="on")


def test_the_environment_sets_the_threshold() -> None:
    assert Settings.from_env({"DISPATCH_QA_THRESHOLD": "0.4"}).threshold == 0.4
    with pytest.raises(InputRejected, match="DISPATCH_QA_THRESHOLD is 'half'; it is a probability"):
        Settings.from_env({"DISPATCH_QA_THRESHOLD": "half"})


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_a_threshold_that_is_no_probability_is_refused(value: float) -> None:
    with pytest.raises(InputRejected, match="threshold is"):
        Settings(threshold=value)


def test_an_empty_variable_counts_as_unset() -> None:
    settings = Settings.from_env({"DISPATCH_QA_INDEX": "", "DISPATCH_QA_CACHE": ""})
    assert (settings.index, settings.cache) == (shipped_index(), default_cache())


def test_the_environment_of_the_process_is_the_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPATCH_QA_INDEX", "/elsewhere")
    monkeypatch.delenv("DISPATCH_QA_CACHE", raising=False)
    settings = Settings.from_env()
    assert (settings.index, settings.cache) == (Path("/elsewhere"), default_cache())


def test_the_shipped_index_is_there() -> None:
    assert {"dispatches.sqlite", "passages.faiss", "passages.json"} <= {p.name for p in shipped_index().iterdir()}


def test_the_cache_lies_in_a_folder_of_its_own() -> None:
    assert "dispatch-qa" in default_cache().parts
