from __future__ import annotations

from pathlib import Path

import pytest

import dispatch_qa
from dispatch_qa import errors
from dispatch_qa.errors import (
    Busy,
    CitationError,
    DispatchQAError,
    InputRejected,
    ModelError,
    StoreDamaged,
    StoreError,
    StoreForeign,
    StoreLocked,
    StoreMissing,
    StoreOutdated,
    build_command,
)

LEAVES_WITH = {
    DispatchQAError: 3,
    InputRejected: 4,
    ModelError: 3,
    StoreError: 3,
    StoreMissing: 3,
    StoreForeign: 3,
    StoreDamaged: 3,
    StoreOutdated: 3,
    StoreLocked: 5,
    CitationError: 3,
    Busy: 3,
}


def test_the_module_holds_these_errors_and_no_others() -> None:
    held = {thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, Exception)}
    assert held == set(LEAVES_WITH)


@pytest.mark.parametrize(("error", "code"), LEAVES_WITH.items())
def test_every_error_has_its_exit_code_and_is_caught_by_the_base(error: type[DispatchQAError], code: int) -> None:
    assert error.exit_code == code
    with pytest.raises(DispatchQAError, match="what came"):
        raise error("what came")


def test_every_store_error_is_caught_by_its_base() -> None:
    stores = {error for error in LEAVES_WITH if error.__name__.startswith("Store")}
    assert stores == {error for error in LEAVES_WITH if issubclass(error, StoreError)}
    assert len(stores) == 6


def test_every_error_is_drawn_in_the_tree_and_offered_by_the_package() -> None:
    for error in LEAVES_WITH:
        assert error.__name__ in (errors.__doc__ or "")
        assert getattr(dispatch_qa, error.__name__) is error


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (build_command(Path("a/b")), "dispatch-qa build --index a/b PATH…"),
        (build_command(Path("a/b"), force=True), "dispatch-qa build --index a/b --force PATH…"),
        (build_command(Path("a/b"), paths=""), "dispatch-qa build --index a/b"),
        (build_command(Path("a/b"), force=True, paths=""), "dispatch-qa build --index a/b --force"),
    ],
)
def test_the_next_command_is_spelled_in_one_way(command: str, expected: str) -> None:
    assert command == expected
