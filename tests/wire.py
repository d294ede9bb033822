"""A small store of made-up copy for the page: wire fields, several languages, and hostile words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dispatch_qa.records import Dispatch


@dataclass(frozen=True, slots=True)
class Wire:
    """A running app over these dispatches."""

    url: str
    index: Path


ODESA = Dispatch(
    "odesa",
    "The port of Odesa reopened on Tuesday.\n\nIt had been closed since March. Ships waited for weeks.",
    "en",
    slug="UKRAINE-PORT",
    headline="Odesa port reopens",
    agency="AFP",
    byline="By Jane Doe",
    filed_at="2025-05-03T09:00:00+00:00",
)
CAIRO = Dispatch(
    "cairo",
    "القاهرة - أعلنت وزارة الصحة يوم الأحد افتتاح ثلاثة مستشفيات جديدة في القاهرة.\n\nوقال الوزير إن العمل بدأ.",
    "ar",
    headline="مستشفيات جديدة في القاهرة",
    agency="رويترز",
    filed_at="2025-04-06T12:00:00+00:00",
)
EMOJI = Dispatch(
    "emoji",
    "🎉🎉 Zürich 🎉 The mayor opened the zoo in Zürich on Saturday 🐘. Children were given 400 balloons. 🎈",
    "en",
    headline="Zoo 🐘 opens",
)
MARKUP = Dispatch(
    '<img src=x onerror="window.pwned=1">',
    "The <script>window.pwned=1</script> witness spoke of "
    '<img src="http://192.0.2.1/pixel.png" onerror="window.pwned=1"> '
    "pixels ![x](http://192.0.2.1/md.png) and [links](javascript:window.pwned=1) of a hostile dispatch.\n\n"
    "${window.pwned=1} {{window.pwned=1}} $$\\href{javascript:window.pwned=1}{x}$$ <style>*{display:none}</style>"
    '</span></a><a class="dqa-data" href="#e30="></a> https://192.0.2.1/auto',
    "en",
    headline='"><svg onload="window.pwned=1"> Hostile headline',
    slug="<b>slug</b>",
    agency="<iframe srcdoc='<script>parent.pwned=1</script>'>",
    byline="<img src=http://192.0.2.1/byline.png>",
)
DISPATCHES = (ODESA, CAIRO, EMOJI, MARKUP)
