"""Ways: which variants are made of a prompt's parts, and how each of them is answered."""

from dataclasses import dataclass

import gradio as gr

from llm_demo.ablation.variants import DEFAULT, SCHEMES
from llm_demo.i18n import Translate
from llm_demo.sampling import Sampling
from llm_demo.tabs.site import Site

FIRST = Sampling(temperature=0.7, top_p=0.9, max_new_tokens=60)
FIRST_SAMPLES = 4


@dataclass(frozen=True, slots=True)
class Ways:
    """Which variants are made of the parts, and how each is answered."""

    schemes: gr.CheckboxGroup
    chosen: gr.Textbox
    samples: gr.Slider
    greedy: gr.Checkbox
    temperature: gr.Slider
    top_p: gr.Slider
    length: gr.Slider
    seed: gr.Number

    @property
    def parts(self) -> list[gr.components.Component]:
        """What `plan` takes and `shown` gives, in its order."""
        drawing = [self.samples, self.greedy, self.temperature, self.top_p, self.length, self.seed]
        return [self.schemes, self.chosen, *drawing]

    def shown(
        self, schemes: tuple[str, ...], chosen: tuple[tuple[int, ...], ...], samplings: tuple[Sampling, ...]
    ) -> list[object]:
        """Show settings; the samplings are those of the answers of each variant."""
        lines = "\n".join(" ".join(str(number + 1) for number in numbers) for numbers in chosen)
        drawn = [sampling for sampling in samplings if sampling.draws]
        one = (drawn or list(samplings))[0]
        greedy = len(drawn) < len(samplings)
        return [list(schemes), lines, len(drawn), greedy, one.temperature, one.top_p, one.max_new_tokens, one.seed]


def build(site: Site) -> Ways:
    """Add the section, folded, to the enclosing container."""
    config = site.engine.config
    with site.add(gr.Accordion, {"label": "ablation.settings"}, open=False, elem_id="ablation-settings"):
        schemes = gr.CheckboxGroup(
            schemes_of(site.t), value=list(DEFAULT), label=site.t("ablation.schemes"), elem_id="ablation-schemes"
        )
        chosen = site.add(
            gr.Textbox,
            {"label": "ablation.by_hand", "info": "ablation.by_hand_info"},
            lines=1,
            max_lines=6,
            elem_id="ablation-chosen",
        )
        with gr.Row():
            samples = site.add(
                gr.Slider,
                {"label": "ablation.samples", "info": "ablation.samples_info"},
                minimum=0,
                maximum=config.max_samples,
                value=min(FIRST_SAMPLES, config.max_samples),
                step=1,
                min_width=220,
            )
            temperature = site.add(
                gr.Slider,
                {"label": "knob.temperature"},
                minimum=0.05,
                maximum=2,
                value=FIRST.temperature,
                step=0.05,
                min_width=220,
            )
            top_p = site.add(
                gr.Slider,
                {"label": "knob.top_p"},
                minimum=0.05,
                maximum=1,
                value=FIRST.top_p,
                step=0.05,
                min_width=220,
            )
            length = site.add(
                gr.Slider,
                {"label": "knob.max_new_tokens"},
                minimum=1,
                maximum=min(config.max_new_tokens, 200),
                value=FIRST.max_new_tokens,
                step=1,
                min_width=220,
            )
        with gr.Row():
            greedy = site.add(gr.Checkbox, {"label": "ablation.greedy_too"}, value=True, min_width=220)
            seed = site.add(
                gr.Number, {"label": "knob.seed", "info": "knob.seed_info"}, value=0, precision=0, min_width=160
            )
    return Ways(schemes, chosen, samples, greedy, temperature, top_p, length, seed)


def schemes_of(t: Translate) -> list[tuple[str, str]]:
    """Return the schemes to choose from."""
    return [(t(f"ablation.scheme_{scheme}"), scheme) for scheme in SCHEMES]
