"""Classify: one sentence sorted by the model that writes, read off three words, and by one that only sorts."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape

import gradio as gr

from llm_demo.charts import class_bars, percent
from llm_demo.errors import DemoError
from llm_demo.i18n import Translate
from llm_demo.sampling import Sampling
from llm_demo.sentiment import LABELS, Classifier, ClassScores, WordScores, check_sentence, question, score_words
from llm_demo.tabs.site import Site
from llm_demo.tokens import visible
from llm_demo.trace import Candidate

LOW_MASS = 0.5  # below it the model was about to say something else than one of the words


@dataclass(frozen=True, slots=True)
class Sorted:
    """A sentence sorted twice.

    Attributes:
        prompt: what the model that writes has read.
        words: what it gives each word.
        first: the token that it would most probably begin with.
        classes: of the one that only sorts; None where it gives none, or has not answered yet.
        missing: why it gives none.
    """

    prompt: str
    words: WordScores
    first: Candidate
    classes: ClassScores | None = None
    missing: DemoError | None = None


def build(site: Site) -> None:
    """Add the section to the enclosing container."""
    classifier = Classifier(site.engine)

    with site.add(gr.Accordion, {"label": "classify.title"}, open=False, elem_id="classify"):
        site.add(gr.Markdown, {"value": "classify.intro"})
        with gr.Row(equal_height=False):
            sentence = site.add(
                gr.Textbox,
                {"label": "classify.sentence", "value": "classify.example"},
                lines=2,
                max_length=site.engine.config.max_sentence_chars,
                scale=4,
                min_width=240,
                elem_id="classify-sentence",
            )
            run = site.add(
                gr.Button, {"value": "classify.run"}, variant="primary", min_width=120, elem_id="classify-run"
            )
        with gr.Row(equal_height=False):
            with gr.Column(min_width=300):
                site.add(gr.Markdown, {"value": "classify.writer"})
                word_chart = gr.Plot(show_label=False, elem_id="classify-words")
                word_told = gr.HTML(elem_id="classify-words-told")
            with gr.Column(min_width=300):
                site.add(gr.Markdown, {"value": "classify.sorter"})
                class_chart = gr.Plot(show_label=False, visible=False, elem_id="classify-classes")
                class_told = gr.HTML(elem_id="classify-classes-told")
        found = gr.State(None)

    def sort(t: Translate, text: str) -> Iterator[dict]:
        asked = check_sentence(text, site.engine.config)
        words = [t(f"classify.{label}") for label in LABELS]
        request = t("classify.prompt", sentence=asked, words=", ".join(words))
        prompt = question(site.engine, request, t("classify.cue"))
        scores = score_words(site.engine, prompt, words)
        first = site.engine.next_step(prompt, Sampling("greedy"), 1).chosen
        result = Sorted(prompt, scores, first)
        yield _shown(result, t)
        try:
            yield _shown(replace(result, classes=classifier.classes(asked)), t)
        except DemoError as error:
            yield _shown(replace(result, missing=error), t)

    def _shown(result: Sorted | None, t: Translate) -> dict:
        if result is None:
            return {class_told: gr.skip()}
        words, classes = result.words, result.classes
        chart = class_bars(words.words, words.shares, t, t("chart.class_words"), words.probs)
        return {
            found: result,
            word_chart: chart,
            word_told: _about_words(result, t),
            class_chart: gr.update(
                value=class_bars(_named(classes, t), classes.probs, t, t("chart.class_classes")) if classes else None,
                visible=classes is not None,
            ),
            class_told: _about_classes(result, classifier.name, t),
        }

    shown = [found, word_chart, word_told, class_chart, class_told]
    site.on([run.click, sentence.submit], sort, [sentence], shown, show_progress_on=[word_told, class_told])
    site.reword(lambda t, result: _shown(result, t), [found], shown)


def _named(classes: ClassScores, t: Translate) -> list[str]:
    """Return the names of the classes, the usual ones in the visitor's language."""
    return [t(f"classify.{name.lower()}") if name.lower() in LABELS else name for name in classes.names]


def _about_words(result: Sorted, t: Translate) -> str:
    words = result.words
    best = words.words[words.probs.index(max(words.probs))]
    sentences = [t("classify.mass", mass=escape(percent(words.mass, t)), best=best)]
    if words.mass < LOW_MASS:
        first = escape(visible(result.first.text))
        sentences.append(t("classify.low_mass", token=first, prob=escape(percent(result.first.raw_prob, t))))
    rows = "".join(
        f"<tr><td>{escape(visible(one.text))}</td><td>{len(one.token_ids)}</td>"
        f"<td>{escape(percent(math.exp(one.log_prob), t))}</td><td>{t.number(one.log_prob, 1)}</td></tr>"
        for spellings in words.spellings
        for one in sorted(spellings, key=lambda one: -one.log_prob)
    )
    heads = "".join(f"<th>{t(f'classify.{name}')}</th>" for name in ("spelling", "tokens", "prob", "nats"))
    return (
        f"<p class='hint'>{' '.join(sentences)}</p>"
        f"<details><summary>{t('classify.spellings')}</summary><p class='hint'>{t('classify.spellings_info')}</p>"
        f'<div class="tokens-table" tabindex="0"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        f"</div></details><details><summary>{t('chat.read')}</summary>"
        f'<div class="read" tabindex="0">{escape(result.prompt)}</div></details>'
    )


def _about_classes(result: Sorted, name: str, t: Translate) -> str:
    if result.missing:
        reason = result.missing.message(t)
        told = t("classify.missing", name=escape(name)) if result.missing.key == "hub" else escape(reason)
        return f'<p class="lookout" role="status">{told}</p>'
    if result.classes is None:
        return f'<p class="hint">{t("classify.waiting", name=escape(name))}</p>'
    return f'<p class="hint">{t("classify.about", name=escape(name))}</p>'
