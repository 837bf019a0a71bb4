"""Voices: who is to answer in a chat, by what its settings hold, and what each is called."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from llm_demo.conversation import Voice
from llm_demo.engine import Engine
from llm_demo.errors import InputError
from llm_demo.i18n import Translate
from llm_demo.sampling import Sampling
from llm_demo.tabs import elsewhere
from llm_demo.tabs.naming import name_of

STRATEGIES = ("greedy", "sample")
DRAWN = ("temperature", "top_k", "top_p", "repetition_penalty")
KNOBS = ("strategy", *DRAWN, "max_new_tokens", "seed")
PRESETS = ("own", "gibberish", "banana", "unhelpful")  # system messages; the first is the template's own
MODEL = "model:"  # how the choice of another model's column begins


def voices_of(engine: Engine, t: Translate, values: Sequence[object]) -> tuple[Voice, ...]:
    """Return who is to answer, by what the components of `Panel.inputs` hold.

    Raises:
        InputError, SettingsError, ModelError: they hold what no visitor could choose, or what cannot run here.
    """
    model, beside, count, system, thinking, *knobs = values
    limit, sampling = engine.config.max_answers, sampling_of(knobs)
    if isinstance(count, bool) or not isinstance(count, int | float) or count not in range(1, limit + 1):
        raise InputError("many_answers", value=repr(count)[:20], limit=limit)
    if not isinstance(system, str):
        raise InputError("system_text")
    if not isinstance(thinking, bool):
        raise InputError("thinking_switch", value=repr(thinking)[:40])
    first = Voice(engine.of(model).loaded.card.key, sampling, system, thinking)
    if beside == "systems":
        return tuple(replace(first, system=system_message(name, t)) for name in PRESETS[:limit])
    same = [replace(first, sampling=replace(sampling, seed=sampling.seed + more)) for more in range(int(count))]
    if beside in ("", None, "none"):
        return tuple(same)
    if beside == "plain":
        return (*same, replace(first, plain=True))
    if beside == "thinking":
        return (*same, replace(first, thinking=not thinking))
    return (*same, replace(first, model=engine.of(str(beside).removeprefix(MODEL)).loaded.card.key))


def sampling_of(knobs: Sequence[object]) -> Sampling:
    """Return what knobs in the order of `KNOBS` hold; SettingsError for a bad one."""
    return Sampling.from_dict(dict(zip(KNOBS, knobs, strict=True)))


def names_of(voices: Sequence[Voice], t: Translate) -> list[str]:
    """Return what each is called: what tells it from the others; a single one, its model."""

    def differ(name: str) -> bool:
        return len({getattr(voice, name) for voice in voices}) > 1

    seeds = len({voice.sampling.seed for voice in voices}) > 1
    systems = {system_message(name, t): t(f"chat.preset_{name}") for name in reversed(PRESETS)}
    names = []
    for voice in voices:
        parts = [voice.model] if differ("model") or len(set(voices)) == 1 else []
        if differ("plain"):
            parts.append(t("chat.without_template" if voice.plain else "chat.with_template"))
        if differ("thinking"):
            parts.append(t("chat.is_thinking" if voice.thinking else "chat.not_thinking"))
        if differ("system"):
            parts.append(systems.get(voice.system, voice.system[:24]))
        if seeds:
            parts.append(t("strategy.short_seed", value=voice.sampling.seed))
        names.append(" · ".join(parts))
    return names


def own_settings(engine: Engine) -> Sampling:
    """Return the model's own settings, of the strategies that a chat has."""
    own = Sampling.from_generation_config(engine.model.generation_config)
    return own if own.strategy in STRATEGIES else Sampling("greedy")


def mark(engine: Engine, mine: Sampling | Mapping[str, object], t: Translate) -> str:
    """Return safe HTML: what the model's own settings are, whether the visitor's are those, and which it lacks."""
    own = own_settings(engine)
    names = ("repetition_penalty",) if own.strategy == "greedy" else DRAWN
    held = mine if isinstance(mine, Mapping) else {name: getattr(mine, name) for name in ("strategy", *DRAWN)}
    same = all(held[name] == getattr(own, name) for name in ("strategy", *names))
    key = "chat.own_taken" if same else "chat.own_other"
    told = f'<p class="hint">{t(key, settings=f"<b>{name_of(own, t)}</b>")}</p>'
    return told + elsewhere.missing(elsewhere.offered(engine), STRATEGIES, KNOBS, t)


def system_message(name: str, t: Translate) -> str:
    """Return the text of one of `PRESETS`."""
    return "" if name == PRESETS[0] else t(f"chat.system_{name}")
