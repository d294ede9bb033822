"""The rules by which the reader's training data is made and its words are counted; training itself runs by hand."""

from __future__ import annotations

import gzip
import json
import random
import re
from dataclasses import replace
from pathlib import Path

import fit
import held_out
import numpy as np
import pytest
import shrink
import torch
import word_by_word
from batches import MOST, TOKENS, _batch, _flash, _groups, _Row, _window
from data import OWN, Mix, Pool, load, part_of
from examples import Example
from hypothesis import given
from hypothesis import strategies as st
from kept import kept
from near_misses import moved, names_in, near_miss, without_answer
from opus import Counterpart, Link, Rendered, Translator, counterparts
from pipeline import Observed, Seen
from prepare import prepared
from safetensors.numpy import load_file, save, save_file
from score import f1, words
from train import losses
from translated import Question, Versions, translated
from wire_questions import LANGUAGES, PHRASES, Told, asked, of_credit_line, told

from dispatch_qa.calibration import Calibration, Pair
from dispatch_qa.evaluate import read_folder
from dispatch_qa.reader.weights import laid_over


def swap(question: str, language: str, passage: str = "") -> str | None:
    return near_miss(question, language, passage, ["Jean Petit"], random.Random(0))


def test_a_listed_word_is_swapped_for_another_of_its_kind() -> None:
    swapped = swap("Which British firms attended?", "en")
    assert swapped is not None
    first, nationality, *rest = swapped.split()
    assert (first, rest) == ("Which", ["firms", "attended?"])
    assert nationality != "British"


def test_a_year_stays_a_year_and_a_number_keeps_its_length() -> None:
    swapped = swap("What happened in 1998?", "pl")
    assert swapped is not None
    assert swapped != "What happened in 1998?"
    assert len(swapped) == len("What happened in 1998?")


def test_a_name_is_swapped_for_one_of_another_question() -> None:
    assert names_in("Quand Victor Hugo est-il né ?") == ["Victor Hugo"]
    assert swap("Quand Victor Hugo est-il né ?", "uk") == "Quand Jean Petit est-il né ?"


def test_a_swap_that_the_passage_speaks_of_is_none() -> None:
    assert swap("Quand Victor Hugo est-il né ?", "uk", "Jean Petit est né à Lyon.") is None


def test_something_else_is_asked_of_what_a_passage_names() -> None:
    passage, rng = "It was said by Babcock International on Friday.", random.Random(0)
    question, version = "Where was Victor Hugo buried?", "Où fut enterré Victor Hugo ?"
    assert moved(question, question, passage, rng) in {
        f"Where was {name} buried?" for name in ("Babcock International", "Friday")
    }
    assert moved(question, version, passage, rng) in {
        f"Où fut enterré {n} ?" for n in ("Babcock International", "Friday")
    }


@pytest.mark.parametrize(
    ("question", "passage"),
    [
        ("Where was Victor Hugo buried?", "He was buried beside Babcock."),  # it may say so
        ("Where was Victor Hugo buried?", "It was said of Victor Hugo by Babcock."),
        ("Where did Paul meet Anna Petit?", "It was said by Babcock."),  # two names
        ("Where was Victor Hugo?", "It was said by Babcock."),  # nothing of its own is asked
        ("Where was Victor Hugo buried?", "It was said by nobody."),
    ],
)
def test_a_question_that_the_passage_may_answer_is_not_moved(question: str, passage: str) -> None:
    assert moved(question, question, passage, random.Random(0)) is None


def test_what_was_made_once_is_read_again(tmp_path: Path) -> None:
    assert kept(tmp_path / "new" / "rows.json", lambda: {"Zürich": (1, 2)}) == {"Zürich": [1, 2]}
    assert kept(tmp_path / "new" / "rows.json", pytest.fail) == {"Zürich": [1, 2]}

    def stopped() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path / "half.json", stopped)
    assert not (tmp_path / "half.json").exists()


def test_questions_go_through_every_language_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("translated._through", lambda mode, texts: [f"{text} ({mode})" for text in texts])
    monkeypatch.setattr("shutil.which", lambda name: name)
    assert translated([Question("q1", "fr", "Quand  est-ce ?"), Question("q2", "zh", "什么时候？")]) == {
        "q1": {
            "en": "Quand est-ce ? (fra-cat) (cat-eng)",
            "es": "Quand est-ce ? (fr-es)",
            "it": "Quand est-ce ? (fr-es) (spa-ita)",
        }
    }


def test_without_a_translator_it_is_said_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(SystemExit, match="apt-get install apertium"):
        translated([])


def test_a_passage_loses_the_sentence_that_answers() -> None:
    rest = "The forum was opened by the minister. " * 4
    passage = rest + "It drew 250 firms. " + rest
    start = passage.index("250")
    assert without_answer(passage, start, start + 3) == rest + rest


def test_an_answer_that_is_told_twice_or_a_short_rest_makes_no_example() -> None:
    rest = "The forum drew 250 firms and was opened by the minister himself. " * 4
    assert without_answer(rest, rest.index("250"), rest.index("250") + 3) is None
    assert without_answer("It drew 250 firms. It is over.", 8, 11) is None


@pytest.mark.parametrize(
    ("text", "language", "kind", "name", "words"),
    [
        ("He met the German physicist Albert Einstein there.", "en", "nation", "Albert Einstein", "German"),
        ("Then Prime Minister Tony Blair spoke.", "en", "post", "Tony Blair", "Prime Minister"),
        ("Le philosophe allemand Emmanuel Kant y a vécu.", "fr", "nation", "Emmanuel Kant", "allemand"),
        ("Le ministre de la guerre Adolphe Messimy refusa.", "fr", "post", "Adolphe Messimy", "ministre de la guerre"),
        ("El rey de España Felipe Segundo murió.", "es", "post", "Felipe Segundo", "rey de España"),
        ("Der deutsche Physiker Max Planck kam.", "de", "nation", "Max Planck", "deutsche"),
    ],
)
def test_what_a_passage_tells_of_a_name_is_found(text: str, language: str, kind: str, name: str, words: str) -> None:
    found = [(one.kind, one.name, text[one.start : one.end]) for one in told(text, language)]
    assert (kind, name, words) in found


def test_what_looks_like_a_name_tells_nothing() -> None:
    assert told("the French and Indian War", "en") == []
    assert told("Король Карл Первый", "ru") == []


def test_credit_lines_are_asked_who_wrote_and_edited_them() -> None:
    names, rng = [f"Ann{letter} Lee{letter}" for letter in "abcdefgh"], random.Random(1)
    put = [one for _ in range(40) for one in of_credit_line(names, ["Nothing about it. " * 20], rng)]
    found = [one.passage[one.start : one.end] for one in put if one.start is not None]
    assert all(words.startswith("Ann") and words.split()[-1].startswith("Lee") for words in found)
    assert sum(one.start is None for one in put) > len(put) / 4


def test_the_author_is_asked_of_what_a_passage_tells_of_and_stands_in_the_credit_line_alone() -> None:
    names, rng = [f"Ann{letter} Lee{letter}" for letter in "abcdefgh"], random.Random(1)
    told_of = "It rained in Montlieu. " * 20
    put = [one for _ in range(40) for one in of_credit_line(names, [told_of], rng)]
    about = [one for one in put if "Montlieu" in one.question]
    assert {(one.passage == told_of, one.start is None) for one in about} == {(True, True), (False, False)}


def test_who_spoke_is_not_told_by_a_credit_line() -> None:
    names = [f"Ann{letter} Lee{letter}" for letter in "abcdefgh"]
    put = [
        one for seed in range(20) for one in of_credit_line(names, ["It rained."], random.Random(seed), ["Who spoke?"])
    ]
    spoke = [one for one in put if one.question == "Who spoke?"]
    assert len(spoke) == 20
    assert all(one.start is None and "Lee" in one.passage for one in spoke)


def test_a_name_is_asked_for_where_it_stands_and_where_it_does_not() -> None:
    one, other = Told("post", "Ann Lee", 0, 5), Told("nation", "Bob Ray", 0, 6)
    put = [again for seed in range(40) for again in asked(one, "mayor Ann Lee", [other], random.Random(seed))]
    assert {("Ann Lee" in again.question, again.start is None) for again in put} == {(True, False), (False, True)}


def test_every_question_is_phrased_in_every_language() -> None:
    for kind in ("reporter", "editor", "nowhere", "nation", "post"):
        assert tuple(PHRASES[kind]) == LANGUAGES
    for kind in ("nation", "post"):
        assert all("{name}" in phrase for phrases in PHRASES[kind].values() for phrase in phrases)


def test_a_part_depends_on_the_key_alone() -> None:
    parts = [part_of(str(number)) for number in range(2_000)]
    assert parts == [part_of(str(number)) for number in range(2_000)]
    assert parts.count("test") / 2_000 == pytest.approx(0.18, abs=0.03)
    assert parts.count("tune") / 2_000 == pytest.approx(0.10, abs=0.03)


def write_set(folder: Path, name: str, rows: dict[str, list[dict[str, object]]]) -> None:
    (folder / name).mkdir()
    for file, lines in rows.items():
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / name / f"{file}.jsonl").write_text(text, encoding="utf-8")


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """The same 40 paragraphs in two languages of one set and in another set, with a question to each."""
    texts = [f"Paragraph {n} says that the answer is {n * 7} metres. It says no more than that." for n in range(40)]

    def passages(suffix: str, language: str) -> list[dict[str, object]]:
        return [
            {
                "_id": f"p{n}{suffix}",
                "text": text if language == "en" else f"Absatz: {text}",
                "metadata": {"language": language},
            }
            for n, text in enumerate(texts)
        ]

    def asked(suffix: str) -> list[dict[str, object]]:
        told = {"language": "en", "answerable": True}
        return [
            {"_id": f"q{n}{suffix}", "text": "How long is it?", "metadata": told | {"base": f"q{n}"}} for n in range(40)
        ]

    def answers(suffix: str, mark: str) -> list[dict[str, object]]:
        return [
            {
                "query_id": f"q{n}{mark}",
                "corpus_id": f"p{n}{suffix}",
                "text": f"{n * 7} metres",
                "start": text.index("is ") + 3,
            }
            for n, text in enumerate(texts)
        ]

    both = passages(".en", "en") + passages(".de", "de")
    write_set(tmp_path, "xquad-r", {"corpus": both, "queries": asked(".en"), "answers": answers(".en", ".en")})
    write_set(tmp_path, "squad2-en", {"corpus": passages("", "en"), "queries": asked(""), "answers": answers("", "")})
    write_set(tmp_path, "offcorpus", {"queries": [{"_id": "o", "text": "Why?", "metadata": {"language": "en"}}]})
    return tmp_path


@pytest.fixture
def pool(sets: Path) -> Pool:
    """They as they are read."""
    return load(sets)


def test_only_questions_of_the_test_part_are_held_out_over_the_whole_corpus(
    pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_out, "SETS", ("xquad-r",))
    (tmp_path / "xquad-r" / "qrels").mkdir()
    rows = ["query-id\tcorpus-id\tscore", *(f"q{n}.en\tp{n}.en\t1" for n in range(40))]
    (tmp_path / "xquad-r" / "qrels" / "test.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    held_out.write(pool, tmp_path, tmp_path / "out")
    judged = read_folder(tmp_path / "out" / "xquad-r-held-out")
    test = {asked.query_id: frozenset(asked.golds) for asked in pool.of_part("test") if asked.dataset == "xquad-r"}
    assert 0 < len(test) < 40
    assert {query.query_id for query in judged.queries} == set(test)
    assert all(query.relevant <= test[query.query_id] and query.gold for query in judged.queries)
    assert len(judged.dispatches) == 80
    # The one question about other things is in English.
    assert (tmp_path / "out" / "unanswerable.jsonl").read_text(encoding="utf-8") == ""


def test_a_paragraph_is_in_one_part_in_every_language_and_set(pool: Pool) -> None:
    for n in range(40):
        assert len({pool.passages[f"p{n}{suffix}"].part for suffix in ("", ".en", ".de")}) == 1


def test_an_epoch_draws_from_the_train_part_alone_and_is_the_same_again(pool: Pool) -> None:
    train = {text.text for text in pool.passages.values() if text.part == "train"}
    examples = Mix(pool, {}, {}, seed=1).epoch(0)
    assert examples == Mix(pool, {}, {}, seed=1).epoch(0)
    assert examples != Mix(pool, {}, {}, seed=1).epoch(1)
    assert {example.passage for example in examples if example.kind == "answer"} <= train
    for example in examples:
        if example.start is not None:
            assert example.passage[example.start : example.end].endswith("metres")


def test_some_questions_are_put_in_another_language(pool: Pool) -> None:
    versions = {asked.query_id: {"fr": "Quelle est la longueur ?"} for asked in pool.questions}
    found = [one for one in Mix(pool, {}, versions, seed=1).epoch(0) if one.kind == "answer"]
    assert {one.question for one in found} == {"How long is it?", "Quelle est la longueur ?"}
    assert all(one.passage[one.start : one.end].endswith("metres") for one in found)


@pytest.fixture
def rendered() -> Rendered:
    """ "It has 45,000 ships (two of them new)." in French, the last words out of order."""
    source, text = "It has 45,000 ships (two of them new).", "Il a 45 000 navires (dont deux sont neufs)."
    pairs = "Il:It a:has 45 000:45,000 navires:ships dont:of deux:two sont:them neufs:new"
    links: list[Link] = []
    for target, word in re.findall(r"(\w+(?: \d+)?):(\S+)", pairs):
        at, of = text.index(target, links[-1].end if links else 0), source.index(word)
        links.append(Link(at, at + len(target), (of, of + len(word))))
    return Rendered(text, tuple(links))


@pytest.mark.parametrize(
    ("start", "answer", "there"),
    [
        (7, "45,000 ships", (5, "45 000 navires")),
        (7, "45,000", (5, "45 000")),
        (0, "It", (0, "Il")),
        (21, "two of them", (21, "dont deux sont")),
        (36, ").", None),
    ],
)
def test_an_answer_is_found_again_in_a_translation(
    rendered: Rendered, start: int, answer: str, there: tuple[int, str] | None
) -> None:
    assert rendered.place(start, answer) == there


def test_an_answer_whose_words_lie_apart_or_whose_number_changed_is_left_out(rendered: Rendered) -> None:
    first, last = rendered.links[0], rendered.links[-1]
    apart = Rendered(rendered.text, (replace(first, of=last.of), *rendered.links[1:]))
    assert apart.place(last.of[0], "new") is None
    other = Rendered(rendered.text.replace("000", "001"), rendered.links)
    assert other.place(7, "45,000 ships") is None


def test_counterparts_of_passages_are_read_with_the_answers_that_they_hold(pool: Pool) -> None:
    texts = {key: one for key, one in pool.passages.items() if one.part == "train" and one.language == "en"}
    found = {
        key: Counterpart("fr", f"Ici : {one.text}", {f"{start}+{len(answer)}": (start + 6, answer)})
        for key, one in texts.items()
        for start, answer in pool.asked_of("train")[key]
    }
    pool.add(found)
    for key in found:
        assert pool.passages[pool.counterparts[key]].part == "train"
    read = [one for one in Mix(pool, {}, {}, seed=1).epoch(0) if one.kind == "answer"]
    assert any(one.passage.startswith("Ici") for one in read)
    assert all(one.passage[one.start : one.end].endswith("metres") for one in read)


class Between:
    """A translator that changes nothing but "metres", and loses its place in what is long."""

    def __init__(self, folder: Path) -> None:
        self.target = folder.name[-2:]

    def __call__(self, texts: list[str], beam: int) -> list[Rendered | None]:
        return [self.rendered(text) if len(text) < 60 else None for text in texts]

    def rendered(self, text: str) -> Rendered:
        new = text.replace("metres", "mètres")
        return Rendered(new, tuple(Link(m.start(), m.end(), m.span()) for m in re.finditer(r"\S+", text)))


def test_a_passage_is_put_in_another_language_sentence_by_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opus.Translator", Between)
    passages = [("p", "en", "It is old.  It is 300 metres high."), ("long", "en", "So. " + "It goes on " * 9 + "on.")]
    golds = {"p": {(12, "It is 300 metres"), (18, "300 metres high"), (3, "is")}}
    found = counterparts(passages, golds, Path())
    assert set(found) == {"p"}
    assert found["p"] == Counterpart(
        "fr",
        "It is old. It is 300 mètres high.",
        {"18+15": (17, "300 mètres high"), "12+16": (11, "It is 300 mètres"), "3+2": (3, "is")},
    )


def test_what_a_training_needs_is_made_once(sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opus.Translator", Between)
    monkeypatch.setattr("prepare.nearest_wrong", lambda pool: {})
    monkeypatch.setattr("prepare.translated", lambda asked: {q.query_id: {"fr": "rules", "es": "rules"} for q in asked})

    def fewer(asked: list[Question], known: Versions) -> Versions:
        assert all(known[q.query_id]["es"] == "rules" for q in asked)
        return {q.query_id: {"es": "words", "pl": "words"} for q in asked}

    monkeypatch.setattr("prepare.word_by_word", fewer)
    told = next(text for text in load(sets).passages.values() if text.part == "train")
    row = {"language": "en", "text": "What is it?", "answers": {told.passage_id: [0, 5]}}
    monkeypatch.setattr("asked.FOLDER", tmp_path)
    (tmp_path / "a.jsonl").write_text(json.dumps(row), encoding="utf-8")
    pool, _, versions = prepared(sets, tmp_path / "work", Path("models"))
    assert [q.golds for q in pool.questions if q.dataset == OWN] == [{told.passage_id: [(0, told.text[:5])]}]
    train = [q for q in pool.of_part("train") if q.language == "en" and q.dataset != OWN]
    assert train
    for q in train:
        assert versions[q.query_id] == {"fr": q.text, "es": "rules", "pl": "words"}
    assert pool.counterparts
    for made in ("opus.Translator", "prepare.nearest_wrong", "prepare.translated", "prepare.word_by_word"):
        monkeypatch.setattr(made, pytest.fail)
    again, _, same = prepared(sets, tmp_path / "work", Path("models"))
    assert (again.counterparts, same) == (pool.counterparts, versions)


def test_a_translator_that_is_not_there_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"opus\.py says how"):
        Translator(tmp_path / "en_fr")


def test_a_languages_level_is_what_the_curve_makes_of_the_same_questions() -> None:
    def asked(language: str, score: float, here: float, share: float) -> Observed:
        seen = Seen(score, share, here, Pair(language=language), True, "", 0.0, "")
        return Observed("?", language, "dispatch", "", ("a",), (seen,))

    curve = Calibration(slope=10, bias=0, threshold=0.5, here=0.5, lexical=-2, rank=1)
    # Spanish scores higher by a share of words that weighs against it: the two even out.
    observed = [asked("en", 0.4, 1, 0.0), asked("es", 0.44, 1, 0.2), asked("uk", 0.4, -0.2, 0.0)]
    assert fit.levels(observed, curve) == {"en": 0.02, "es": 0.02, "uk": -0.04}


def test_a_difference_is_kept_as_far_as_the_bytes_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    base = {name: rng.normal(size=(32, 48)).astype(np.float32) for name in ("simple", "rich")} | {"bias": np.ones(32)}
    save_file({name: np.asarray(array, np.float32) for name, array in base.items()}, tmp_path / "model.safetensors")
    change = {"simple": rng.normal(size=(32, 2)) @ rng.normal(size=(2, 48)), "rich": rng.normal(size=(32, 48)) / 2}
    trained = {name: base[name] + change.get(name, 0.5) for name in base} | {"span.weight": np.ones((2, 32))}
    state = {f"encoder.{name}": torch.tensor(array, dtype=torch.float32) for name, array in trained.items()}
    torch.save({"model": state}, tmp_path / "checkpoint.pt")

    def lost(room: int) -> dict[str, float]:
        monkeypatch.setattr(shrink, "BYTES", room)
        small = shrink.shrink(tmp_path / "checkpoint.pt", tmp_path)
        kept = [array for name, array in small.items() if not name.endswith("/vector")]
        assert sum(array.nbytes for array in kept) <= room
        merged = laid_over(load_file(tmp_path / "model.safetensors"), save(small))
        assert merged["bias"].tolist() == [1.5] * 32
        assert merged["span.weight"].tolist() == np.ones((2, 32)).tolist()
        return {
            name: float(((merged[name] - trained[name]) ** 2).sum() / (array**2).sum())
            for name, array in change.items()
        }

    little, much = lost(400), lost(2_000)
    assert little["simple"] < 0.03 < little["rich"]  # few directions are worth more for their bytes than many
    assert much["simple"] < 0.001
    assert much["rich"] < 0.1


def test_words_are_counted_without_case_articles_and_punctuation() -> None:
    assert words("L'Ukraine, les États-Unis", "fr") == ["ukraine", "états", "unis"]
    assert words("北京 2024", "zh") == ["北", "京", "2024"]
    assert f1("the Bank of France", "Bank of England", "en") == pytest.approx(2 / 3)
    assert f1("", "Kiev", "fr") == 0


@given(st.data())
def test_a_window_holds_what_it_must_as_far_as_it_fits(data: st.DataObject) -> None:
    length, room = data.draw(st.integers(1, 60)), data.draw(st.integers(1, 60))
    first = data.draw(st.integers(0, length - 1))
    last = data.draw(st.integers(first, length - 1))
    at, end = _window(length, (first, last), room, random.Random(data.draw(st.integers())))
    assert 0 <= at <= first < end <= length
    assert end - at == min(room, length)
    assert last < end or last - first >= room


@given(st.lists(st.lists(st.integers(1, 200), min_size=1, max_size=4)))
def test_what_is_to_be_told_apart_shares_a_batch(lengths: list[list[int]]) -> None:
    units = [[_Row([7], [8] * length, (-1, -1)) for length in unit] for unit in lengths]
    units.sort(key=lambda unit: max(row.length for row in unit))
    groups = list(_groups(units))
    assert [unit for group in groups for unit in group] == units
    for batch, group in zip(map(_batch, groups), groups, strict=True):
        assert batch.asked.tolist() == [number for number, unit in enumerate(group) for _ in unit]
        assert len(batch.ids) <= MOST
        assert batch.ids.numel() <= TOKENS


def test_the_right_passage_is_told_from_the_others_of_its_question_alone() -> None:
    told = [2.0, 1.0, -1.0, 5.0, 3.0]
    units = [[_Row([7], [8], (0, 0)), _Row([7], [8], (-1, -1)), _Row([7], [8], (-1, -1))]]
    units += [[_Row([7], [8], (0, 0))], [_Row([7], [8], (-1, -1))]]

    def model(ids: torch.Tensor, _kinds: torch.Tensor, _mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.zeros(*ids.shape, 2), torch.tensor(told)

    _, here, which = losses(model, _batch(units))  # type: ignore[arg-type]
    one_in_three = np.log(np.exp([2.0, 1.0, -1.0]).sum()) - 2.0
    assert which.item() == pytest.approx(3 * one_in_three / 5, rel=1e-5)  # once for each of its passages
    wrong = [np.log1p(np.exp(logit if place in (1, 2, 4) else -logit)) for place, logit in enumerate(told)]
    assert here.item() == pytest.approx(np.mean(wrong), rel=1e-5)


def test_a_flash_is_the_sentence_of_the_answer() -> None:
    text = "The forum opened. It drew 250 firms. It is over."
    start = text.index("250")
    flash = _flash(Example("How many?", text, "answer", start, start + 3), random.Random(0))
    assert flash.passage == "It drew 250 firms. "
    assert flash.passage[flash.start : flash.end] == "250"
    assert _flash(Example("Why?", text, "beside"), random.Random(0)).passage in text


ENTRIES = {
    "attend": "attend /əˈtend/ <V>\n 1.  uczestniczyć\n 2.  uczęszczać (sth - do czegoś)\n",
    "firm": "firm /fɜːm/ <N>\nfirma, przedsiębiorstwo\na company\n",
}


@pytest.fixture
def dictionary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dictionary in FreeDict's form, in the place of Debian's; forms are as they stand in it."""
    text, index = "".join(ENTRIES.values()), ""
    for head, entry in ENTRIES.items():
        place = len(text[: text.index(entry)].encode()), len(entry.encode())
        index += (
            "\t".join([head, *(word_by_word._DIGITS[n // 64] + word_by_word._DIGITS[n % 64] for n in place)]) + "\n"
        )
    (tmp_path / "freedict-eng-pol.index").write_text(index, encoding="utf-8")
    (tmp_path / "freedict-eng-pol.dict.dz").write_bytes(gzip.compress(text.encode()))
    monkeypatch.setattr(word_by_word, "FOLDER", tmp_path)
    monkeypatch.setattr(word_by_word, "DICTIONARIES", {"pl": ("eng-pol",)})
    monkeypatch.setattr(
        word_by_word, "_base", lambda word, language: {"firms": "firm", "attended": "attend"}.get(word, word)
    )
    monkeypatch.setattr(word_by_word, "_forms", lambda language: {})
    for cached in (word_by_word._dictionary, word_by_word._function_words):
        cached.cache_clear()


@pytest.mark.usefixtures("dictionary")
def test_a_question_is_put_word_by_word_and_names_stay() -> None:
    which = "Which firms attended after the deal with Babcock?"
    asked = [Question("q1", "en", which), Question("q2", "en", "Zounds, gadzooks!")]
    found = word_by_word.word_by_word(asked, {})
    assert set(found) == {"q1"}
    which, firm, attended, after, deal, with_, name = found["q1"]["pl"].split()
    assert which in {"Który", "Która", "Jaki", "Jaka"}
    assert firm in {"firma", "przedsiębiorstwo"}
    assert (attended, after, deal, with_ in {"z", "ze"}, name) == ("uczestniczyć", "po", "deal", True, "Babcock?")


def test_without_dictionaries_the_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_by_word, "FOLDER", tmp_path)
    word_by_word._dictionary.cache_clear()
    with pytest.raises(SystemExit, match=r"apt-get install .*dict-freedict-fra-pol"):
        word_by_word.word_by_word([Question("q", "fr", "Qui ?")], {})


def test_function_words_have_a_word_in_every_language() -> None:
    languages, *rows = word_by_word.FUNCTION_WORDS.read_text(encoding="utf-8").splitlines()
    assert set(languages.split("\t")) == {"en", "fr", *word_by_word.DICTIONARIES}
    assert all(len(row.split("\t")) == len(languages.split("\t")) for row in rows)
