"""Who said it: the words in a sentence that name the speaker of what it reports or quotes.

Wire copy attributes in few ways, so cues tell: "selon X", "…, a déclaré X", "X a déclaré que …", and their like in
English, German, Spanish and Ukrainian. Other languages have no cues here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from dispatch_qa.records import Span

LONGEST = 120  # characters of a speaker


@dataclass(frozen=True, slots=True)
class Cues:
    """A language's cues, as regular expressions without named groups.

    `by` stands before a source ("according to") and `zufolge` after one; `said` is what was done with words; `rest`
    begins what no longer belongs to the name.
    """

    by: str
    said: str
    rest: str
    zufolge: str = r"(?!)"


CUES = {
    "fr": Cues(
        by=r"selon|d'après|à en croire|a en croire|pour(?= (?:l'|la |le |les )?(?:économiste|analyste|expert)\w*)"
        r"|appris \w+ (?:auprès de|de)",
        said=r"(?:(?:a|ont|avait|avaient) (?:\w+ment )?(?:déclaré|indiqué|affirmé|annoncé|dit|précisé|ajouté|expliqué"
        r"|estimé|souligné|assuré|rapporté|confirmé|écrit|averti|reconnu|répondu|rappelé|noté|jugé|fait savoir)"
        r"|déclare|indique|affirme|annonce|dit|précise|ajoute|explique|estime|souligne|assure|rapporte|confirme|écrit"
        r"|(?:a|ont)-t-(?=il|elle))(?:nt)?",
        rest=r"dans|lors|à|sur|devant|en|au micro|après|avant|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche"
        r"|hier|dit|déclaré|à l'issue",
    ),
    "en": Cues(
        by=r"according to|in the words of",
        said=r"said|says|told (?:\w+|an? (?:news )?conference(?: in \w+)?)|added|adds|announced|warned|wrote|writes"
        r"|reported|confirmed|stated|noted|explained|argued|ruled",
        rest=r"in a|in an|on|at|during|in the|late|early|earlier|after|before|this|last|told|said",
    ),
    "de": Cues(
        by=r"nach angaben|laut|nach ansicht|nach worten|nach einschätzung|wie",
        said=r"sagten?|erklärten?|teilten?|schrieb(?:en)?|warnten?|betonten?|kündigten?|berichtete?n?|bestätigten?"
        r"|meldeten?|meinten?|sagt|erklärt|berichtet|so",
        rest=r"am|auf x|in seiner|in ihrer|in einem|in einer|gegenüber|bei|vor|nach|mit|zu|montag|dienstag|mittwoch"
        r"|donnerstag|freitag|samstag|sonntag|wird|wurden?|sank|sinkt|stieg|ist|sind|habe|hat|haben|werden?",
        zufolge=r"zufolge",
    ),
    "es": Cues(
        by=r"según|de acuerdo con|a juicio de|para(?= (?:el|la) (?:economista|analista|experto))",
        said=r"dij(?:o|eron)|afirm(?:ó|aron)|inform(?:ó|aron)|explic(?:ó|aron)|anunci(?:ó|aron)|escrib(?:ió|ieron)"
        r"|asegur(?:ó|aron)|señal(?:ó|aron)|confirm(?:ó|aron)|advirt(?:ió|ieron)|declar(?:ó|aron)|indic(?:ó|aron)"
        r"|agreg(?:ó|aron)|precis(?:ó|aron)|a Reuters",
        rest=r"en|durante|tras|ante|el (?:lunes|martes|miércoles|jueves|viernes|sábado|domingo)|hoy|ayer",
    ),
    "uk": Cues(
        by=r"за даними|за словами|на думку|згідно зі?|за інформацією|у повідомленні|йдеться у повідомленні",
        said=r"сказа(?:в|ла|ли)|заяви(?:в|ла|ли)|повідоми(?:в|ла|ли)|запевни(?:в|ла|ли)|написа(?:в|ла|ли)"
        r"|уточни(?:в|ла|ли)|зазначи(?:в|ла|ли)|дода(?:в|ла|ли)|наголоси(?:в|ла|ли)|поясни(?:в|ла|ли)|розпові(?:в|ла|ли)",
        rest=r"в|у|на|під час|після|перед|сьогодні|вчора",
    ),
}

_QUOTES = '"«»“”„'
_THAT = "que|qu|that|dass|що|si|if|ob"
_WORDS_OF_APPOSITION = 6


def speaker(text: str, language: str) -> Span | None:
    """Where `text`, a sentence, names who said it; `None` where it does not, or the language has no cues.

    The source that a sentence leans on comes first ("selon X"), then the one behind the words ("…, a dit X"), then
    the one before the verb ("…, X said", "X a dit que …").
    """
    for pattern in _patterns(language) if language in CUES else ():
        if match := pattern.search(text):
            start, end = match.span("who")
            end = start + _name_length(text[start:end], language, opens=match.start() == 0)
            if start < end <= start + LONGEST:
                return Span(start, end)
    return None


@cache
def _patterns(language: str) -> tuple[re.Pattern[str], ...]:
    cues = CUES[language]
    behind_words = rf"(?:,|[{_QUOTES}],?)\s+(?:[-–—]\s+)?"
    patterns = (
        rf"(?<!\w)(?:{cues.by})\s+(?P<who>.+)",
        rf"^(?P<who>[^,]+?)\s+(?:{cues.zufolge})(?!\w)",
        rf"{behind_words}(?:{cues.said})[ -](?!(?:{_THAT})(?!\w))(?P<who>.+)",
        rf"{behind_words}(?P<who>[^,;:{_QUOTES}]+?)\s+(?:{cues.said})(?!\w)",
        rf"^(?P<who>[^;:{_QUOTES}]+?)\s+(?:{cues.said})(?!\w)",
    )
    return tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)


def _name_length(text: str, language: str, *, opens: bool) -> int:
    """How much of `text`, which begins with a name or title, belongs to it.

    Up to the first word that goes on, with an apposition ("le ministre de la défense, Rustem Umerov"). Where the source
    `opens` the sentence, that goes on behind the comma: only a name between two commas is an apposition there.
    """
    rest = re.search(rf",?\s+(?:{CUES[language].rest})(?!\w)|[;:!?]|\.\s*\Z|\s[-–—]\s", text, re.IGNORECASE)
    text = text[: rest.start()] if rest else text
    first, *more = text.split(",")
    named = more and more[0].strip()[:1].isupper() and (len(more) > 1 or not opens)
    if (named or (len(more) == 1 and not opens)) and len(more[0].split()) <= _WORDS_OF_APPOSITION:
        first = f"{first},{more[0]}"
    return len(first.rstrip())
