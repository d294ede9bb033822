from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeEmbedder

from dispatch_qa import Answer, Dispatch, DispatchQA, Filter, LeftOut, Settings, build
from dispatch_qa.archive import Archive
from dispatch_qa.versions import (
    EMBARGOED,
    HELD,
    LOOKED_AT,
    SUPERSEDED,
    WITHDRAWN,
    Rows,
    Take,
    apart,
    changes,
    in_order,
    last_release,
    story_of,
)

NOON = datetime(2025, 5, 3, 12, tzinfo=UTC)


def take(name: str, version: str | None = None, status: str | None = None, **fields: str | None) -> Take:
    known = {"story": "s", "filed_at": None, "embargo": None} | fields
    return Take(id=name, version=version, status=status, **known)  # type: ignore[arg-type]


def kinds(*takes: Take) -> dict[str, str]:
    return {name: why.kind for name, why in apart(takes, NOON).items()}


def test_of_a_story_the_latest_take_is_quoted() -> None:
    takes = [take("a", "1"), take("b", "2"), take("c", "10")]
    for order in permutations(takes):
        assert kinds(*order) == {"a": SUPERSEDED, "b": SUPERSEDED}
    assert apart(takes, NOON)["a"].reason == "superseded by c"


def test_takes_without_versions_go_by_date_and_then_by_their_coming() -> None:
    takes = [
        take("late", filed_at="2025-05-03T09:00:00+00:00"),
        take("first", filed_at="2025-05-03T10:00:00+02:00"),
        take("undated"),
        take("undated too"),
    ]
    assert [one.id for one in in_order(takes)] == ["undated", "undated too", "first", "late"]


def test_a_kill_takes_the_whole_story_and_a_hold_holds_it() -> None:
    assert kinds(take("a", "1"), take("b", "2", "canceled")) == {"a": WITHDRAWN, "b": WITHDRAWN}
    assert kinds(take("a", "1"), take("b", "2", "withheld")) == {"a": HELD, "b": HELD}
    assert kinds(take("a", "1", "canceled"), take("b", "2", "usable")) == {"a": SUPERSEDED}
    assert kinds(take("a", None, "canceled")) == {"a": WITHDRAWN}


def test_an_embargoed_take_waits_and_the_one_before_it_is_quoted() -> None:
    later, zone, over = "2025-05-03T13:00:00Z", "2025-05-03T13:30:00+02:00", "2025-05-03T12:00:00"
    assert kinds(take("a", "1"), take("b", "2", embargo=later)) == {"b": EMBARGOED}
    assert kinds(take("a", "1"), take("b", "2", embargo=zone)) == {"a": SUPERSEDED}
    assert kinds(take("a", "1"), take("b", "2", embargo=over)) == {"a": SUPERSEDED}
    assert kinds(take("b", embargo="when the minister has spoken")) == {"b": EMBARGOED}


def test_stories_do_not_touch_each_other() -> None:
    assert kinds(take("a", "1"), take("b", "2", "canceled", story="t")) == {"b": WITHDRAWN}


# Chains that only the words of the copy show

ROOT = Dispatch("root", "x", slug="ODESSA", agency="AFP", headline="Le port rouvre", filed_at="2025-05-03T08:00:00Z")


@pytest.mark.parametrize(
    ("change", "chained"),
    [
        ({"version": "1"}, True),
        ({"status": "corrected"}, True),
        ({"status": "canceled"}, True),
        ({"advisory": "(Adds quote)"}, True),
        ({"version": "1", "slug": None}, True),
        ({}, False),
        ({"version": "1", "slug": None, "headline": None}, False),
        ({"version": "1", "version_of": "own"}, False),
        ({"version": "1", "filed_at": "2025-06-03T08:00:00Z"}, False),
        ({"version": "1", "filed_at": None}, True),
    ],
)
def test_a_marked_take_follows_the_one_of_its_slug_or_headline(change: dict[str, str], chained: bool) -> None:
    new = replace(ROOT, id="new", **change)  # type: ignore[arg-type]
    found = story_of(new, lambda query, *_: [] if "version_of <>" in query else [("root", "root", ROOT.filed_at)])
    assert found == (replace(new, version_of="root") if chained else new)


# What changed


def test_changes_are_told_sentence_by_sentence() -> None:
    old = Dispatch("a", "Le port a rouvert mardi. Il était fermé.\n\nLe maire est content.", "fr")
    new = Dispatch("b", "Le port a rouvert jeudi. Il était fermé.\n\nLe maire est content. Il l'a dit.", "fr")
    first, second = changes(old, new)
    assert (first.removed, first.added) == (("Le port a rouvert mardi.",), ("Le port a rouvert jeudi.",))
    assert (second.removed, second.added) == ((), ("Il l'a dit.",))
    assert changes(old, replace(old, id="c")) == []


# Asked through the facade

STORY = [
    Dispatch("u1", "Le port d'Odessa a rouvert mardi, dit le maire Petrov.", "fr", version="1", version_of="u"),
    Dispatch(
        "u2",
        "Le port d'Odessa a rouvert jeudi, dit le maire Petrov.",
        "fr",
        version="2",
        version_of="u",
        status="corrected",
        advisory="(Corrige le jour)",
    ),
    Dispatch("kill", "Le ministre Radu a démissionné samedi soir.", "fr", status="canceled"),
    Dispatch("later", "Le budget annuel double, annonce la banque centrale.", "fr", embargo="2025-05-03T13:00:00Z"),
    Dispatch("other", "La récolte de blé commence dans le sud du pays.", "fr"),
]


def asked(settings: Settings, question: str, now: datetime = NOON, where: Filter | None = None) -> Answer:
    opened = DispatchQA(settings, FakeEmbedder(), now=lambda: now)
    try:
        return opened.ask(question, k=1, where=where)
    finally:
        opened.close()


@pytest.fixture
def stories(settings: Settings) -> Settings:
    build(settings, dispatches=STORY, embedder=FakeEmbedder())
    return settings


def test_an_answer_comes_from_the_corrected_take_and_says_so(stories: Settings) -> None:
    answer = asked(stories, "Le port d'Odessa a rouvert mardi")
    (citation,) = answer.citations
    assert (citation.dispatch_id, citation.version) == ("u2", "2")
    assert citation.note == "corrected version: (Corrige le jour)"
    assert answer.left_out == ()


def test_withdrawn_copy_is_not_quoted_and_the_answer_says_so(stories: Settings) -> None:
    answer = asked(stories, "Le ministre Radu a démissionné samedi soir")
    assert answer.citations[0].dispatch_id != "kill"
    assert answer.left_out == (LeftOut("kill", "withdrawn", "withdrawn by the wire"),)
    assert asked(stories, "récolte de blé dans le sud du pays").left_out == ()


def test_between_two_ends_of_embargoes_the_same_is_apart() -> None:
    ends = [NOON + timedelta(hours=hours) for hours in (-2, -1, 1)]
    takes = [take(f"t{n}", story=f"s{n}", embargo=end.isoformat()) for n, end in enumerate(ends)]
    takes += [take("open", story="o"), take("unread", story="u", embargo="soon")]
    assert last_release(takes, NOON) == ends[1]
    assert last_release(takes[3:], NOON) < ends[0]
    for minutes in range(-180, 180, 30):
        now = NOON + timedelta(minutes=minutes)
        assert apart(takes, last_release(takes, now)) == apart(takes, now)


def test_what_is_apart_is_reckoned_once_and_when_an_embargo_ends(
    stories: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    reckoned = []

    def counted(*given: Any) -> Any:
        reckoned.append(given)
        return apart(*given)

    monkeypatch.setattr("dispatch_qa.qa.apart", counted)
    clock = [NOON]
    asked = DispatchQA(stories, FakeEmbedder(), now=lambda: clock[0])
    for _ in range(3):
        assert "later" in asked.apart()
    assert len(reckoned) == 1
    clock[0] = NOON + timedelta(hours=2)
    assert "later" not in asked.apart()
    assert len(reckoned) == 2


def test_embargoed_copy_is_quoted_when_its_time_has_come(stories: Settings) -> None:
    question = "Le budget annuel double, annonce la banque centrale"
    answer = asked(stories, question)
    assert answer.left_out == (LeftOut("later", "embargoed", "embargoed until 2025-05-03T13:00:00Z"),)
    assert answer.citations[0].dispatch_id != "later"
    answer = asked(stories, question, NOON + timedelta(hours=2))
    assert (answer.citations[0].dispatch_id, answer.left_out) == ("later", ())


def test_what_a_filter_leaves_out_is_not_told_as_left_out(stories: Settings) -> None:
    answer = asked(stories, "Le ministre Radu a démissionné samedi soir", where=Filter(status="corrected"))
    assert (answer.citations[0].dispatch_id, answer.left_out) == ("u2", ())


# Copies

LEAD = "Le port d'Odessa a rouvert mardi après deux mois de travaux, a dit le maire de la ville devant la presse."


def test_many_copies_take_one_place_and_leave_the_others_theirs(settings: Settings) -> None:
    copies = [Dispatch(f"copy{n:03}", f"{LEAD}\n\nNote numéro {n} du journal {n}.", "fr") for n in range(120)]
    rest = [Dispatch(f"own{n}", f"Le port numéro {n} de la ville a rouvert.", "fr") for n in range(3)]
    build(settings, dispatches=[*copies, *rest], embedder=FakeEmbedder())
    opened = DispatchQA(settings, FakeEmbedder())
    answer = opened.ask("Le port d'Odessa a rouvert mardi, a dit le maire de la ville", k=4)
    assert [citation.quote == LEAD for citation in answer.citations] == [True, False, False, False]
    assert {citation.dispatch_id for citation in answer.citations[1:]} >= {"own0", "own1", "own2"}
    first = answer.citations[0]
    assert len(first.copies) == 119
    assert first.dispatch_id not in first.copies
    # Of a copy what it adds is found.
    assert opened.search("Note numéro 77 du journal 77", k=1)[0].passage.dispatch_id == "copy077"


def test_a_copy_is_found_where_a_filter_lets_only_it_through(settings: Settings) -> None:
    copies = [Dispatch("a", LEAD, "fr", agency="AFP"), Dispatch("b", LEAD + " ", "fr", agency="AP")]
    build(settings, dispatches=copies, embedder=FakeEmbedder())
    for agency, expected in (("AFP", "a"), ("AP", "b")):
        (citation,) = asked(settings, "port d'Odessa", where=Filter(agency=agency)).citations
        assert citation.dispatch_id == expected


# In the order of stories, whatever the order of files


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_takes_are_chained_in_any_order_of_coming(settings: Settings, tmp_path: Path, order: tuple[int, ...]) -> None:
    texts = [
        "LOMARIE-PORT\n\nLOMARIE, 12 juin (Lumen) - Le port rouvre vendredi.\n",
        "LOMARIE-PORT\n\nACTUALISATION 1-Le port rouvre\n\nLOMARIE, 12 juin (Lumen) - Le port rouvre samedi.\n",
        "LOMARIE-PORT\n\nACTUALISATION 2-Le port rouvre\n\nLOMARIE, 12 juin (Lumen) - Le port rouvre dimanche.\n",
    ]
    kept = Archive(settings, FakeEmbedder())
    for place, number in enumerate(order):
        file = tmp_path / f"{place}.txt"
        file.write_text(texts[number], encoding="utf-8")
        assert kept.add([file]).failed == {}
    latest = str(order.index(2))
    answer = asked(settings, "Le port rouvre")
    assert [citation.dispatch_id for citation in answer.citations] == [latest]
    opened = DispatchQA(settings, FakeEmbedder())
    assert opened.takes_of(latest) == [str(order.index(number)) for number in range(3)]
    opened.close()


def test_of_a_slug_that_comes_back_for_years_the_last_takes_are_looked_at(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = []

    def counted(one: Dispatch, rows: Rows) -> Dispatch:
        looked.append(one.id)
        return story_of(one, rows)

    kept = Archive(settings, FakeEmbedder())
    days = [f"20{year}-{month:02}-01" for year in range(10, 16) for month in range(1, 13)]
    lines = [
        {"id": f"t{n}", "text": f"Marchés {n}.", "slug": "MARCHES", "version": "1", "date": day}
        for n, day in enumerate(days)
    ]
    (tmp_path / "takes.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    kept.add([tmp_path / "takes.jsonl"])
    monkeypatch.setattr("dispatch_qa.archive.story_of", counted)
    root = {"id": "root", "text": "Marchés, racine.", "slug": "MARCHES", "date": days[-1]}
    (tmp_path / "root.jsonl").write_text(json.dumps(root), encoding="utf-8")
    assert kept.add([tmp_path / "root.jsonl"]).added == ["root"]
    assert len(looked) == LOOKED_AT + 1 < len(days)
    opened = DispatchQA(settings, FakeEmbedder())
    assert opened.takes_of(f"t{len(days) - 1}") == ["root", f"t{len(days) - 1}"]
    opened.close()


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_evolved_from_an_item_belongs_to_its_story(
    settings: Settings, tmp_path: Path, order: tuple[int, ...]
) -> None:
    hour = "2025-05-03T0{}:00:00Z"
    items = [
        {"uri": "urn:a", "version": "3", "versioncreated": hour.format(7), "body_text": "Le port rouvre vendredi."},
        {"uri": "urn:b", "version": "1", "versioncreated": hour.format(8), "body_text": "Le port rouvre samedi."},
        {"uri": "urn:c", "version": "1", "versioncreated": hour.format(9), "body_text": "Le port rouvre dimanche."},
    ]
    for item, earlier in zip(items[1:], ("urn:a", "urn:b"), strict=True):
        item["evolvedfrom"] = earlier
    kept = Archive(settings, FakeEmbedder())
    for number in order:
        file = tmp_path / f"{number}.json"
        file.write_text(json.dumps(items[number] | {"pubstatus": "usable", "type": "text"}), encoding="utf-8")
        assert kept.add([file]).failed == {}
    answer = asked(settings, "Le port rouvre")
    assert [citation.dispatch_id for citation in answer.citations] == ["urn:c@1"]
    opened = DispatchQA(settings, FakeEmbedder())
    assert opened.takes_of("urn:c@1") == ["urn:a@3", "urn:b@1", "urn:c@1"]
    opened.close()


def test_dates_come_before_versions_and_days_are_compared_as_days() -> None:
    takes = [
        take("b1", "1", filed_at="2025-05-03T09:00:00Z"),
        take("a9", "9", filed_at="2025-05-03T08:00:00Z"),
    ]
    assert [one.id for one in in_order(takes)] == ["a9", "b1"]
    coarse = [take("a", "1", filed_at="2025-05-03T08:00:00Z"), take("b", "2", filed_at="2025-05-03")]
    assert [one.id for one in in_order(coarse)] == ["a", "b"]
    marked = [take("fix", None, "corrected"), take("root")]
    assert [one.id for one in in_order(marked)] == ["root", "fix"]
