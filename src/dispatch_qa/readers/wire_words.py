"""The words by which wire copy in French, English, German, Spanish and Ukrainian names its own parts.

Each constant is a piece of a regular expression, to be read with `re.VERBOSE` off and the case as it is written,
unless the comment says otherwise.
"""

from __future__ import annotations

MONTHS: dict[int, str] = {
    1: r"janvier|janv|january|jan|januar|jänner|enero|ene|січня|січ",
    2: r"février|févr|fév|february|feb|februar|febrero|лютого|лют",
    3: r"mars|march|mar|märz|marzo|березня|бер",
    4: r"avril|avr|april|apr|abril|abr|квітня|квіт",
    5: r"mai|may|mayo|травня|трав",
    6: r"juin|june|jun|juni|junio|червня|черв",
    7: r"juillet|juil|july|jul|juli|julio|липня|лип",
    8: r"août|august|aug|agosto|ago|серпня|серп",
    9: r"septembre|sept|september|sep|septiembre|вересня|вер",
    10: r"octobre|oct|october|oktober|okt|octubre|жовтня|жовт",
    11: r"novembre|nov|november|noviembre|листопада|лист",
    12: r"décembre|déc|december|dec|dezember|dez|diciembre|dic|грудня|груд",
}

# Agencies that sign in brackets. A place in capitals with a date may be signed by any other, too.
AGENCIES = (
    r"Thomson Reuters(?: Foundation)?|Reuters(?: Breakingviews)?|AFP|AP|Associated Press|UPI|Bloomberg|PA(?: Media)?|CP"
    r"|dpa(?:-AFX|-tmn|/\w{2,4})?|AFX|APA|KNA|epd|SID|ANSA|EFE|Europa Press|EP|Notimex|Télam|Belga|BELGA|ATS|SDA"
    r"|Keystone-(?:SDA|ATS)|TT|NTB|Ritzau|PAP|LUSA|Lusa|Xinhua|Kyodo|TASS|ТАСС|La Presse Canadienne"
    r"|Укрінформ|УКРІНФОРМ|Ukrinform|УНІАН|UNIAN|УНН|Інтерфакс-Україна|ІНТЕРФАКС-УКРАЇНА|Interfax-Ukraine|Interfax"
    r"|РБК-Україна|Рейтер|Ройтерз|AAP|ANI|IANS|PTI|Anadolu|Antara|Bernama|Jiji|Yonhap|WAM|SPA|MENA|IRNA|APS|MAP|ACP|NAN"
    r"|MTI|ČTK|CTK|BTA|HINA|STA|Tanjug|Agerpres|Agência Brasil|Prensa Latina|Andina|ABI"
)

# In brackets at the very end: who reported and who edited. A name, a colon or one of "by, de, par, von, por" follows.
CREDITS = (
    r"Reporting|Additional reporting|Writing|Editing|Compiled|Written|Edited"
    r"|Reportage|Rédigé|Rédaction|Édité|Edité|Édition|Version française|Traduit"
    r"|Bericht|Berichte|Berichtet|Redaktion|Redigiert|Geschrieben|Zusammengestellt|Reporterin|Reporter"
    r"|Reporte|Información|Reportaje|Editado|Edición|Redacción|Redactado|Escrito"
    r"|Репортаж|Автори?|Авторка|Підготував|Підготувала|Підготували|Редагування|Редактор|Редакторка|Повідомляє"
)
CREDIT_JOINTS = r"by|de|du|d['’]|par|von|por"

# Whole lines in brackets above the body that tell editors what changed. Those in the first group say "corrected".
CORRECTING = (
    r"Corrects?|Corrected|Correcting|Fixes|Corrige|Rectifie|Correction|Korrigiert|Berichtigt|Berichtigung|Korrektur"
    r"|Richtigstellung|Rectifica|Corrección|Виправляє|Виправлено|Виправлення|Уточнює|Уточнено"
)
ADVISING = (
    r"Adds?|Updates?|Updated|Refiles?|Refiled|Recasts?|Removes?|Clarifies|Repeats?|Rewrites?|Changes|Deletes|Drops"
    r"|Writes through|Restores|Ajoute|Ajout|Actualise|Actualisation|Mise à jour|Précise|Précisions?|Complète|Répète"
    r"|Supprime|Reprend|Retire|Remplace|Ergänzt|Ergänzung|Aktualisiert|Aktualisierung|Wiederholung|Wiederholt|Präzisiert"
    r"|Stellt klar|Streicht|Neu:|Añade|Agrega|Actualiza|Amplía|Elimina|Aclara|Repite|Suprime|Додає|Додано|Доповнює"
    r"|Доповнено|Оновлює|Оновлено|Повторює|Прибирає"
)
EDITORS = (
    r"EDITORS?|EDS|ATTENTION|NOTE TO EDITORS|Note to editors|Eds|AUX REDACTIONS|AVISO A LOS EDITORES|AN DIE REDAKTIONEN"
)

# Before a headline, or in brackets behind a slug: which take this is, and whether it may be used.
UPDATES = (
    r"UPDATE|WRAPUP|ACTUALISATION|MISE À JOUR|MISE A JOUR|LEAD|AKTUALISIERUNG|ACTUALIZACIÓN|ACTUALIZACION|AMPLIACIÓN"
    r"|ОНОВЛЕННЯ|ОНОВЛЕНО"
)
CORRECTED = (
    r"CORRECTED|CORRECTION|CORRECTS|RECTIFICATIF|CORRIGÉ|CORRIGE|BERICHTIGUNG|KORREKTUR|RICHTIGSTELLUNG"
    r"|RECTIFICACIÓN|CORRECCIÓN|CORRECCION|RECTIFICACION|ВИПРАВЛЕННЯ|ВИПРАВЛЕНО|УТОЧНЕННЯ"
)
CANCELED = (
    r"STORY WITHDRAWN|WITHDRAWN|WITHDRAWAL|KILLED|KILL|ANNULATION|ANNULE ET REMPLACE|ANNULÉ|DÉPÊCHE RETIRÉE|RETIRÉ"
    r"|ZURÜCKGEZOGEN|ZURÜCKZIEHUNG|STORNO|ANULADO|ANULACIÓN|RETIRADO|RETIRADA|ВІДКЛИКАНО|СКАСОВАНО|АНУЛЬОВАНО"
)
WITHHELD = r"HOLD|ON HOLD|EN ATTENTE|ZURÜCKGEHALTEN|RETENIDO|ЗАТРИМАНО"
REPEATED = r"REFILE|REPEAT|RPT|REPRISE|WIEDERHOLUNG|REPETICIÓN|REPETICION|ПОВТОР"
LOUD = r"ALERT|ALERTE|URGENT|FLASH|EXCLUSIVE|EXCLUSIF|EILMELDUNG|EIL|URGENTE|ALERTA|ТЕРМІНОВО|ЕКСКЛЮЗИВ"

BYLINES = r"By|BY|Par|PAR|Von|VON|Por|POR|Автор|Автори|Авторка|Текст"
SLUGS = r"Slug|SLUG|Slugline|Keyword|KEYWORD|Keywords|Mots?-clés?|Mot-clef|Stichwort|Stichworte|Palabras? clave|Слаг"

EMBARGOES = (
    r"(?i:under embargo|embargoed|embargo|not for (?:publication|release|use) before|strictly embargoed|sous embargo"
    r"|sperrfrist|embargado|embargada|bajo embargo|ембарго|під ембарго)"
)
# Hours from UTC of the zones that wire copy names; summer time has its own name in each.
ZONES: dict[str, float] = {
    **dict.fromkeys(["gmt", "utc", "z", "tu", "wet"], 0),
    **dict.fromkeys(["bst", "cet", "mez", "west"], 1),
    **dict.fromkeys(["cest", "mesz", "eet"], 2),
    "eest": 3,
    **dict.fromkeys(["edt"], -4),
    **dict.fromkeys(["est", "cdt"], -5),
    "cst": -6,
    "pdt": -7,
    "pst": -8,
}
# Places whose local time is written out: "heure de Paris", "Berliner Zeit", "за київським часом".
LOCAL_TIMES: dict[str, str] = {
    r"heure de paris|paris time": "Europe/Paris",
    r"heure de bruxelles|brussels time": "Europe/Brussels",
    r"heure de londres|london time": "Europe/London",
    r"berliner zeit|berlin time|deutscher zeit|ortszeit berlin": "Europe/Berlin",
    r"hora de madrid|hora peninsular|madrid time": "Europe/Madrid",
    r"за київським часом|за києвом|kyiv time|heure de kiev|heure de kyiv": "Europe/Kyiv",
    r"new york time|eastern time|heure de new york": "America/New_York",
}
