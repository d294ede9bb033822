"""Questions and passages that share their words, though the one does not answer the other, by string rules.

One word of the question is swapped for another: "Which British firms attended?" becomes "Which Polish firms attended?",
with word lists for the languages of the training sets; a swap is kept only where the new word is nowhere in the
passage. Or something else is asked of what the passage names. Or the passage loses the sentence that answers, and goes
on about the same thing.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

# Words of one row can stand for each other: the same kind, the same form.
ROWS: dict[str, list[str]] = {
    "en": [
        "American British French German Russian Chinese Polish Italian Spanish Japanese Turkish Swedish Indian",
        "Americans Britons Germans Russians Poles Italians Spaniards Turks Swedes Indians Egyptians Norwegians Greeks",
        "America Britain France Germany Russia China Poland Italy Spain Japan Turkey Sweden India Egypt Norway Canada",
        "London Paris Berlin Moscow Beijing Warsaw Rome Madrid Tokyo Ankara Stockholm Delhi Cairo Oslo Ottawa Vienna",
        "president king queen minister governor mayor general chancellor emperor ambassador secretary bishop",
        "January February March April June July August September October November December",
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
        "first second third fourth fifth last",
        "largest smallest oldest newest tallest cheapest",
        "before after",
        "north south east west",
        "northern southern eastern western",
        "increase decrease",
        "won lost",
        "born buried married",
        "founded abolished",
        "father mother brother sister daughter son wife",
        "two three four five six seven eight ten twelve twenty",
        "army navy police church parliament",
        "company university hospital museum school bank",
        "football chess tennis rugby swimming",
        "book film song painting opera poem",
    ],
    "fr": [
        "américain britannique français allemand russe chinois polonais italien espagnol japonais turc suédois indien",
        "américaine britannique française allemande russe chinoise polonaise italienne espagnole japonaise turque",
        "américains britanniques français allemands russes chinois polonais italiens espagnols japonais turcs suédois",
        "américaines britanniques françaises allemandes russes chinoises polonaises italiennes espagnoles japonaises",
        "France Allemagne Russie Chine Pologne Italie Espagne Turquie Suède Inde Égypte Norvège Grèce",
        "Paris Berlin Moscou Pékin Varsovie Rome Madrid Tokyo Ankara Stockholm Londres Vienne Lisbonne Lyon Marseille",
        "président roi ministre gouverneur maire général chancelier empereur ambassadeur pape duc",
        "janvier février mars avril juin juillet août septembre octobre novembre décembre",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
        "premier deuxième troisième quatrième dernier",
        "première deuxième troisième quatrième dernière",
        "avant après",
        "nord sud ouest",
        "père mère frère fils fille épouse",
        "deux trois quatre cinq six sept huit dix douze vingt",
        "armée marine police église",
        "livre film roman tableau opéra poème",
        "entreprise université banque",
        "créé détruit vendu",
        "né mort marié",
        "plus moins",
        "naissance mort",
        "début fin",
    ],
    "es": [
        "americano británico francés alemán ruso chino polaco italiano español japonés turco sueco indio egipcio",
        "americana británica francesa alemana rusa china polaca italiana española japonesa turca sueca india egipcia",
        "americanos británicos franceses alemanes rusos chinos polacos italianos españoles japoneses turcos suecos",
        "Francia Alemania Rusia China Polonia Italia España Japón Turquía Suecia India Egipto Noruega Inglaterra",
        "Londres París Berlín Moscú Pekín Varsovia Roma Madrid Tokio Ankara Estocolmo Viena Lisboa",
        "presidente rey ministro gobernador alcalde general canciller emperador embajador papa obispo duque",
        "enero febrero marzo abril junio julio agosto septiembre octubre noviembre diciembre",
        "primer segundo tercer último",
        "primera segunda tercera última",
        "antes después",
        "norte sur oeste",
        "padre madre hermano hijo hija esposa",
        "dos tres cuatro cinco seis siete ocho diez doce veinte",
        "mayor menor",
    ],
    "de": [
        "amerikanische britische französische deutsche russische chinesische polnische italienische spanische",
        "amerikanischen britischen französischen deutschen russischen chinesischen polnischen italienischen spanischen",
        "Frankreich Deutschland Russland China Polen Italien Spanien Japan Schweden Indien Ägypten Norwegen England",
        "London Paris Berlin Moskau Peking Warschau Rom Madrid Tokio Ankara Stockholm Wien Lissabon",
        "Präsident König Minister Gouverneur Bürgermeister General Kanzler Kaiser Botschafter Papst Bischof",
        "Januar Februar März April Juni Juli August September Oktober November Dezember",
        "erste zweite dritte letzte",
        "ersten zweiten dritten letzten",
        "vor nach",
        "Norden Süden Osten Westen",
        "Vater Mutter Bruder Sohn Tochter Frau",
        "zwei drei vier fünf sechs sieben acht zehn zwölf zwanzig",
    ],
    "ru": [
        "американский британский французский немецкий русский китайский польский итальянский испанский японский",
        "американская британская французская немецкая русская китайская польская итальянская испанская японская",
        "американские британские французские немецкие русские китайские польские итальянские испанские японские",
        "Франции Германии России Китая Польши Италии Испании Японии Турции Швеции Индии Египта Норвегии Англии",
        "президент король министр губернатор мэр генерал канцлер император посол папа епископ",
        "января февраля марта апреля июня июля августа сентября октября ноября декабря",
        "первый второй третий последний",
        "первая вторая третья последняя",
        "до после",
        "два три четыре пять шесть семь",
    ],
    "zh": [
        "美国 英国 法国 德国 俄罗斯 中国 波兰 意大利 西班牙 日本 土耳其 瑞典 印度 埃及",
        "总统 国王 部长 市长 将军 皇帝 大使 教皇",
        "第一 第二 第三 最后",
        "之前 之后",
        "最大 最小 最古老",
        "父亲 母亲 兄弟 儿子 女儿 妻子",
    ],
}
LEAST_REST = 120  # characters
STEM = 5  # letters
_SENTENCE_END = re.compile(r"[.!?][\"»”’)]*\s+|[。！？]")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"(?<=[\w,] )[A-ZÀ-Þ][\w'’-]+(?: [A-ZÀ-Þ][\w'’-]+)*")


def names_in(question: str) -> list[str]:
    """The names inside a question, not at its beginning; in German any noun."""
    return _NAME.findall(question)


def near_miss(question: str, language: str, passage: str, names: Sequence[str], rng: random.Random) -> str | None:
    """The question with one word swapped, or `None` where no rule fits.

    Args:
        names: other questions' names in that language: the swapped ones are then as likely in answerable questions.
    """
    # Names are in most questions, the listed words in few: those first, so that they are not drowned.
    for new, start, end in [*_listed(question, language, rng), *_numbers(question, rng), *_names(question, names, rng)]:
        if new.casefold() not in passage.casefold() and new.casefold() not in question.casefold():
            return question[:start] + new + question[end:]
    return None


def moved(question: str, version: str, passage: str, rng: random.Random) -> str | None:
    """A question of another passage, its one name exchanged for one of this passage: "When was Babcock founded?".

    Args:
        question: in the passage's language: none of its own words may be in the passage, which could answer it then.
        version: the question as it is to be put, in that language or another.
    """
    named, names = set(names_in(version)), sorted(set(names_in(passage)))
    if len(named) != 1 or not names or not (words := _matter(question)):
        return None
    (name,), folded = named, passage.casefold()
    if name.casefold() in folded or any(word in folded for word in words):
        return None
    return version.replace(name, rng.choice(names))


def without_answer(passage: str, start: int, end: int) -> str | None:
    """The passage without the sentence of its answer; `None` where little is left or the answer is told twice."""
    before, after = sentence_at(passage, start, end)
    rest = passage[:before] + passage[after:]
    return rest if len(rest) >= LEAST_REST and passage[start:end].casefold() not in rest.casefold() else None


def _matter(question: str) -> list[str]:
    """What a question asks about, names aside: the beginnings of its longer words."""
    return [word[:STEM] for word in re.findall(r"\b[a-zß-ÿа-яё]{5,}", question)]


def sentence_at(passage: str, start: int, end: int) -> tuple[int, int]:
    """Where the sentence begins and ends, or the sentences, that hold the characters from `start` to `end`."""
    ends = [0, *(match.end() for match in _SENTENCE_END.finditer(passage)), len(passage)]
    return max(at for at in ends if at <= start), min(at for at in ends if at >= end)


Swap = tuple[str, int, int]


def _listed(question: str, language: str, rng: random.Random) -> list[Swap]:
    """Each word of the question that is in a row, with another of that row."""
    found = []
    for row in ROWS.get(language, []):
        words = row.split()
        for word in words:
            # Chinese has no spaces between words.
            pattern = re.escape(word) if language == "zh" else rf"\b{re.escape(word)}\b"
            others = [other for other in words if other != word]
            found += [(rng.choice(others), *match.span()) for match in re.finditer(pattern, question)]
    rng.shuffle(found)
    return found


def _numbers(question: str, rng: random.Random) -> list[Swap]:
    """Each number with another of its length: a year stays a likely year."""
    found = []
    for match in _NUMBER.finditer(question):
        number = match.group()
        if number.isdecimal() and len(number) == 4:
            new = str(int(number) + rng.choice([-40, -17, -9, -4, 3, 8, 15, 30]))
        else:
            new = "".join(str(rng.randint(1, 9)) if char.isdecimal() else char for char in number)
        found.append((new, *match.span()))
    rng.shuffle(found)
    return found


def _names(question: str, names: Sequence[str], rng: random.Random) -> list[Swap]:
    """Each name inside the question with another."""
    found = [(rng.choice(names), *match.span()) for match in _NAME.finditer(question)] if names else []
    rng.shuffle(found)
    return found
