from __future__ import annotations

from typing import Any

import pytest

from dispatch_qa import InputRejected
from dispatch_qa.web.settings import ServerSettings


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"port": 65_536}, "the port is 65536"),
        ({"port": -1}, "the port is -1"),
        ({"root_path": "dispatches"}, "must look like /dispatches"),
        ({"root_path": "/dispatches/"}, "must look like /dispatches"),
        ({"auth": "editor"}, "a colon between them"),
        ({"auth": "editor:"}, "a colon between them"),
        ({"auth": ":secret"}, "a colon between them"),
        ({"token": " "}, "the token is empty"),
        ({"token": "é"}, "not ASCII"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises(InputRejected, match=why):
        ServerSettings(**options)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_serving_this_machine_alone_needs_no_warning(host: str) -> None:
    assert ServerSettings(host=host).loopback
    assert ServerSettings(host=host).warnings() == []


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "news.example", ""])
def test_serving_others_without_a_password_says_what_is_missing(host: str) -> None:
    settings = ServerSettings(host=host)
    assert not settings.loopback
    password, encryption = settings.warnings()
    assert "set DISPATCH_QA_AUTH=name:password" in password
    assert "TLS" in encryption
    open_to_all = ServerSettings(host=host, allow_add=True).warnings()
    assert open_to_all[0] == password
    assert "can add dispatches" in open_to_all[1]
    assert ServerSettings(host=host, allow_add=True, auth="a:b").warnings() == [encryption]
    for credentials in ({"auth": "a:b"}, {"token": "t"}):
        assert ServerSettings(host=host, **credentials).warnings() == [encryption]  # type: ignore[arg-type]
