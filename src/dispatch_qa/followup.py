"""Questions that lean on the one before: “And the Americans?”, read with what was asked.

No model reads here, so the reader is shown how it was read and may change it. What the new words bring, a name, a
number or a nation, takes the place of the same kind in the question before; the rest of that question stays.
`eval/followups.py` tells how often the passage that answers then comes first.
"""

from __future__ import annotations

import re

JOIN = " – "
"""Between what is kept of the question before and the new words."""

LONGEST = 8
"""More words than this say by themselves what they ask."""

# Words that join a question to the one before it, by language: en, fr, de, es, it, uk, ru, pl, ar, zh.
_JOINS = re.compile(
    r"""^[¿¡\s]*(?:
        (?:and|but|so)\s+(?:what\s+about\s+|how\s+about\s+)? | (?:what|how)\s+about\s+
      | (?:et|mais)\s+(?:pour\s+)? | qu['’]en\s+est[-\s]il\s+(?:de\s+|d['’]|du\s+|des\s+)
      | (?:und|aber)\s+(?:was\s+ist\s+mit\s+)? | was\s+ist\s+mit\s+
      | (?:y|e|pero)\s+(?:qué\s+hay\s+de\s+)? | qué\s+hay\s+de\s+
      | (?:а|і|й|та|и|но|i|oraz)\s+(?:як\s+щодо\s+|как\s+насчёт\s+)? | a\s+(?=\w+\W*$)
      | و(?!زير|زار|اشن|قع|صل|فد|كال|رد|سط)(?:ماذا\s+عن\s+)?(?=\w{2}) | ماذا\s+عن\s+ | 那么?|那
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_ENDS = re.compile(r"呢\s*[?？]*$")

_ASKING_WORDS = """
    who whom whose what when where why how which  qui que quoi quand où pourquoi comment combien
    wer wen wem was wann wo wohin warum wieso wie  quién quiénes qué cuándo dónde cómo cuánto cuántos por
    хто що коли де чому як скільки кто что когда где почему как сколько  kto co kiedy gdzie dlaczego jak ile
    من ماذا متى أين لماذا كيف كم  谁 什么 何时 哪里 在哪里 为什么 怎么 多少"""
_PRONOUN_WORDS = """
    he she they him them his their it  il elle ils elles lui leur celui-ci celle-ci  er ihn ihm ihr ihnen
    él ella ellos ellas він вона вони його її їх їм  он она они его её их
    هم هما"""
_ASKING, _PRONOUNS = frozenset(_ASKING_WORDS.split()), frozenset(_PRONOUN_WORDS.split())
_PRONOUNS_ZH = re.compile("[他她它]")

# The beginnings of nations' names and adjectives, which many languages write without a capital.
_NATION = re.compile(
    r"""\b(?:
        brit|angl[aei]|engl[iä]|ingl[eé]|améri[ck]|ameri[ck]|estadoun|états-un|allem|alem[aá]|german|deutsch|niem
      | fran[cçz]|french|russ|rusos?\b|rusas?\b|ruso|ukrain|ucran|chin(?:a|e|o)|israé?e?l|iran|japa?on|japan|turc|türk
      | turk|polon|polo?n|polac|polnisch|ital[io]|spani|espa[gñ]|europ
      | брит|англ|америк|німе|немец|герман|франц|росі|росс|русс|украї|украи|кита|ізраїл|израил|іран|иран|япон|турец|поль
      | (?:ال)?(?:بريط|أمريك|أميرك|ألمان|فرنس|روس|أوكران|صين|إسرائيل|إيران|يابان|ترك|بولن)
    )[\w-]*""",
    re.IGNORECASE | re.VERBOSE,
)
_NATION_ZH = re.compile("[英美德法俄中日韩意][国]|俄罗斯|乌克兰|以色列|伊朗|日本|波兰|土耳其")
_NUMBER = re.compile(r"\d[\d.,]*年?")
_HANGING = re.compile(r"\b(?:[cdjlmnst]|qu)['’](?=\s|$)", re.IGNORECASE)
_WORD = re.compile(r"\w+(?:['’-]\w+)*")


def read(question: str, before: str | None) -> str | None:
    """The question as it reads after `before`; `None` where it stands on its own.

    Args:
        question: as it was typed.
        before: the question before it, as that was read; `None` at the beginning of a conversation.
    """
    if before is None or not leans(question):
        return None
    new = _JOINS.sub("", question, count=1).strip()
    kinds = [kind for kind in (_NUMBER, _NATION, _NATION_ZH) if kind.search(new)]
    kept = before.rstrip(" ?？؟!.")
    if kinds or _names(new):
        # What the last follow-up brought makes room for what this one brings.
        kept = kept.partition(JOIN)[0]
    for kind in kinds:
        kept = kind.sub("", kept)
    if _names(new):
        kept = " ".join(word for at, word in enumerate(kept.split()) if at == 0 or not _is_name(word))
    rest = _HANGING.sub("", kept).split()
    if rest and new.split()[:1] == rest[-1:]:
        rest.pop()  # “grew in – in 2024”
    return f"{' '.join(rest)}{JOIN}{new}"


def leans(question: str) -> bool:
    """Whether a question needs the one before it to be understood."""
    words = [word.casefold() for word in _WORD.findall(question)]
    if len(words) > LONGEST:
        return False
    if _JOINS.match(question) or _ENDS.search(question) or all(word in _ASKING for word in words):
        return True
    spoken_of = _PRONOUNS & set(words) or _PRONOUNS_ZH.search(question)
    return bool(spoken_of) and not _names(question) and not _NUMBER.search(question)


def _names(text: str) -> bool:
    """Whether a word is written as a name; of several, the first may be so for its place alone."""
    words = _WORD.findall(text)
    return any(_is_name(word) for word in (words[1:] or words) if word.casefold() not in _ASKING)


def _is_name(word: str) -> bool:
    return word.lstrip("¿¡\"'«“„(")[:1].isupper()
