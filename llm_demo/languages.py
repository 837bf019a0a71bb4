"""One simple sentence in several languages, all translated for this app: the same meaning, to count its tokens."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """The sentence in one language.

    Attributes:
        code: of the language (BCP 47).
        name: how its speakers call it.
        text: "It is raining today and I have no umbrella."
    """

    code: str
    name: str
    text: str


SENTENCES = (
    Sentence("es", "Español", "Hoy llueve y no tengo paraguas."),
    Sentence("en", "English", "It is raining today and I have no umbrella."),
    Sentence("ca", "Català", "Avui plou i no tinc paraigua."),
    Sentence("gl", "Galego", "Hoxe chove e non teño paraugas."),
    Sentence("eu", "Euskara", "Gaur euria ari du eta ez daukat aterkirik."),
    Sentence("zh", "中文", "今天下雨，我没有伞。"),
    Sentence("ar", "العربية", "تمطر السماء اليوم وليس لدي مظلة."),
    Sentence("hi", "हिन्दी", "आज बारिश हो रही है और मेरे पास छाता नहीं है।"),
)
