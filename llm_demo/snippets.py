"""Snippets: settings in, the transformers code that does the same in a notebook out."""

from collections.abc import Collection, Iterable
from textwrap import wrap

from llm_demo.decoding.speculative import DRAFT_TOKENS, LOOKUP_TOKENS
from llm_demo.errors import SettingsError
from llm_demo.i18n import Translate
from llm_demo.sampling import PENALTIES, Sampling

FILTERS = ("temperature", "top_p", "min_p", "typical_p")
BEAMS = ("num_beams", "length_penalty", "early_stopping")
PROCESSORS = {
    "repetition_penalty": "RepetitionPenaltyLogitsProcessor",
    "no_repeat_ngram_size": "NoRepeatNGramLogitsProcessor",
}
WRITTEN = ("greedy", "sample", "beam", "contrastive", "prompt_lookup", "speculative")
WIDTH = 90  # of a comment


def snippet(
    source: str, prompt: str, sampling: Sampling, t: Translate, draft: str = "", stop_ids: Collection[int] = ()
) -> str:
    """Return transformers 5 code, to paste into a notebook, that prints the text of `Engine.generate`.

    In float32 the text is the same, token for token, unless something is drawn: then only the distribution is. The
    prompt is tokenized as plain text; it should not begin with the token that begins every text.

    Args:
        source: a hub id or a folder.
        prompt: plain text; whatever it holds, it stays data.
        sampling: only the knobs that its strategy looks at, and that change something, are written. Of a strategy that
            is not in `WRITTEN` there is a comment alone: transformers has no such.
        t: the language of the comments.
        draft: hub id or folder of the smaller model, for speculative decoding.
        stop_ids: what ends a text; those of the model's generation config where there are none.

    Raises:
        SettingsError: speculative decoding without a `draft`.
    """
    if sampling.strategy == "speculative" and not draft:
        raise SettingsError("no_draft", name=source)
    if sampling.strategy not in WRITTEN:
        return "\n".join(_comment(t("snippet.none", name=sampling.strategy))) + "\n"
    blocks = [
        _imports(sampling),
        _loading(source, draft, sampling, t, sorted(stop_ids)),
        _prompt(prompt),
        _search(sampling, t) if sampling.strategy == "contrastive" else _generate(sampling, t),
        [
            *_comment(t("snippet.new")),
            "print(tokenizer.decode(output[0, inputs.input_ids.shape[1] :], skip_special_tokens=True))",
        ],
    ]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _imports(sampling: Sampling) -> list[str]:
    names = ["AutoModelForCausalLM", "AutoTokenizer"]
    if sampling.strategy == "contrastive":
        names += [PROCESSORS[name] for name in _changed(sampling, PENALTIES)]
    else:
        names.append("GenerationConfig")
    torch = ["import torch"] if sampling.draws or sampling.strategy == "contrastive" else []
    return [*torch, f"from transformers import {', '.join(sorted(names))}"]


def _loading(source: str, draft: str, sampling: Sampling, t: Translate, stop_ids: list[int]) -> list[str]:
    lines = [
        f"source = {source!r}",
        "tokenizer = AutoTokenizer.from_pretrained(source)",
        *_comment(t("snippet.precision")),
        'model = AutoModelForCausalLM.from_pretrained(source, dtype="float32")',
        f"eos = {stop_ids or 'model.generation_config.eos_token_id'}",
    ]
    if sampling.strategy == "contrastive":
        return lines
    lines += [
        *_comment(t("snippet.defaults")),
        "model.generation_config = GenerationConfig(eos_token_id=eos, pad_token_id=tokenizer.eos_token_id)",
    ]
    if sampling.strategy == "speculative":
        count = sampling.num_draft_tokens or DRAFT_TOKENS
        lines += [
            *_comment(t("snippet.draft", count=count)),
            f'assistant = AutoModelForCausalLM.from_pretrained({draft!r}, dtype="float32")',
            "assistant.generation_config = GenerationConfig(",
            f"    num_assistant_tokens={count}, assistant_confidence_threshold=0, pad_token_id=tokenizer.eos_token_id",
            ")",
        ]
    return lines


def _prompt(prompt: str) -> list[str]:
    lines = prompt.splitlines(keepends=True)
    # A literal a line: repr writes quotes, backslashes and every kind of line end so that none ends the literal.
    text = [f"prompt = {prompt!r}"] if len(lines) < 2 else ["prompt = (", *(f"    {line!r}" for line in lines), ")"]
    # What a visitor typed is text, even where it spells a control token.
    split = ", split_special_tokens=True" if getattr(prompt, "literal", ()) else ""
    return [*text, f'inputs = tokenizer(prompt, return_tensors="pt"{split})']


def _generate(sampling: Sampling, t: Translate) -> list[str]:
    knobs: dict[str, object] = {"max_new_tokens": sampling.max_new_tokens, "do_sample": sampling.draws}
    before: list[str] = []
    if sampling.draws:
        before += [*_comment(t("snippet.draw")), f"torch.manual_seed({sampling.seed})"]
        before += [] if sampling.top_k else _comment(t("snippet.top_k"))
        knobs |= {"top_k": sampling.top_k} | _changed(sampling, FILTERS)
    if sampling.strategy == "beam":
        knobs |= _changed(sampling, BEAMS)
    knobs |= _changed(sampling, PENALTIES)
    written = {name: repr(value) for name, value in knobs.items()}
    if sampling.strategy == "prompt_lookup":
        written["prompt_lookup_num_tokens"] = str(sampling.num_draft_tokens or LOOKUP_TOKENS)
    if sampling.strategy == "speculative":
        written["assistant_model"] = "assistant"
    arguments = [f"    {name}={value}," for name, value in written.items()]
    return [*before, "output = model.generate(", "    **inputs,", *arguments, ")"]


def _search(sampling: Sampling, t: Translate) -> list[str]:
    """Return equation 5 of Su et al. 2022 as a loop: `generate` itself has lost contrastive search."""
    k, alpha = sampling.top_k, sampling.penalty_alpha
    penalties = [
        f"        scores = {PROCESSORS[name]}({value})(output, scores)"
        for name, value in _changed(sampling, PENALTIES).items()
    ]
    return [
        *_comment(t("snippet.contrastive")),
        f"k, alpha = {k}, {alpha}",
        "output = inputs.input_ids",
        "with torch.inference_mode():",
        "    scores = model(output).logits[:, -1]",
        f"    for _ in range({sampling.max_new_tokens}):",
        *penalties,
        *_comment(t("snippet.candidates"), indent=8),
        "        confidence, candidates = scores.softmax(-1)[0].topk(k)",
        "        rows = torch.cat([output.repeat(k, 1), candidates[:, None]], dim=1)",
        "        ahead = model(rows, output_hidden_states=True, use_cache=False)",
        *_comment(t("snippet.likeness"), indent=8),
        "        states = torch.nn.functional.normalize(ahead.hidden_states[-1], dim=-1)",
        "        likeness = (states[:, -1:] @ states[:, :-1].mT).amax((1, 2))",
        "        best = ((1 - alpha) * confidence - alpha * likeness).argmax()",
        "        output, scores = rows[best][None], ahead.logits[best, -1][None]",
        "        if torch.isin(output[0, -1], torch.tensor(eos)):",
        "            break",
    ]


def _changed(sampling: Sampling, names: Iterable[str]) -> dict[str, object]:
    """Return the knobs that are not at their neutral value, which is transformers' default too."""
    neutral = Sampling()
    return {name: getattr(sampling, name) for name in names if getattr(sampling, name) != getattr(neutral, name)}


def _comment(sentence: str, indent: int = 0) -> list[str]:
    return [f"{' ' * indent}# {line}" for line in wrap(sentence, WIDTH - indent)]
