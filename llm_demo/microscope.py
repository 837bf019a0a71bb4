"""Microscope: a text written one token at a time, each decision looked at for as long as one likes.

The logits of one place are kept, so that another temperature or another number needs no pass of the model. Texts
that are left behind stay as branches.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from llm_demo.decoding.recorder import Recorder
from llm_demo.errors import InputError, SettingsError
from llm_demo.sampling import Sampling
from llm_demo.trace import Candidate, Step

MOST_SHOWN = 20  # candidates
MOST_BRANCHES = 6

Text = tuple[Candidate, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """A text so far and the place in it that is looked at.

    Attributes:
        prompt: what the text continues.
        prompt_ids: the same as the model reads it.
        stop_ids: the end-of-text tokens; nothing follows one.
        text: the tokens so far, with what they were given when they were chosen.
        place: which decision is looked at, 0 to `last`: the one about `text[place]`, or about the token after all.
        logits: at that place, shape (vocab_size,); None where the model has still to be asked.
        draws: how many numbers beyond its own were spent on this place.
        branches: texts left behind, the newest first; none begins the text or another of them.
    """

    prompt: str
    prompt_ids: tuple[int, ...]
    stop_ids: frozenset[int]
    text: Text = ()
    place: int = 0
    logits: Tensor | None = None
    draws: int = 0
    branches: tuple[Text, ...] = ()

    @property
    def before(self) -> tuple[int, ...]:
        """The ids of the tokens before the place."""
        return _ids(self.text[: self.place])

    @property
    def ended(self) -> bool:
        """Whether an end-of-text token closes the text."""
        return bool(self.text) and self.text[-1].token_id in self.stop_ids

    @property
    def last(self) -> int:
        """The last place that can be looked at: after the text, or the decision that ended it."""
        return len(self.text) - self.ended


def decide(scope: Scope, sampling: Sampling, top_k: int, decode: Callable[..., str], most: int = MOST_SHOWN) -> Step:
    """Return the decision at the place: with `draws` 0, the one that decoding the text in one go would take there.

    Every token before it has spent a number of the seed, whether it was drawn or not. It computes with torch, so it
    belongs into `Engine.call`.

    Args:
        scope: its logits known.
        sampling: how to pick; greedy or sampling.
        top_k: candidates to record, 1 to `most`.
        decode: token ids to text, as a tokenizer does.
        most: candidates that may be shown.

    Raises:
        SettingsError: `top_k` is out of range.
    """
    if not isinstance(top_k, int | float) or not 1 <= top_k <= most or top_k != int(top_k):
        raise SettingsError("knob_whole", knob="top_k", value=repr(top_k)[:40], low=1, high=most)
    recorder = Recorder((*scope.prompt_ids, *scope.before), sampling, int(top_k), scope.stop_ids, decode)
    if sampling.draws:
        recorder.skip(scope.place + scope.draws)
    return recorder.choose(scope.logits)


def draw_again(scope: Scope) -> Scope:
    """Let the next number of the seed decide."""
    return replace(scope, draws=scope.draws + 1)


def force(scope: Scope, step: Step, token_id: object) -> Scope:
    """Put a token at the place and look at the one after it.

    Args:
        scope: the text so far.
        step: the decision at its place.
        token_id: one of its candidates.

    Raises:
        InputError: it is none of them.
    """
    for candidate in (*step.top, step.chosen):
        if candidate.token_id == token_id:
            longer = grow(scope, [candidate])
            return back(longer, min(scope.place + 1, longer.last))
    raise InputError("no_candidate")


def grow(scope: Scope, tokens: Sequence[Candidate]) -> Scope:
    """Let tokens follow what is before the place, which stays. A text that said something else becomes a branch."""
    new = (*scope.text[: scope.place], *tokens)
    if _begins(new, scope.text):
        return scope
    return replace(scope, text=new, branches=_left_behind(new, scope.text, *scope.branches))


def undo(scope: Scope) -> Scope:
    """Take the last token back and look at its place."""
    text = scope.text[:-1]
    return replace(
        scope, text=text, place=len(text), logits=None, draws=0, branches=_left_behind(text, *scope.branches)
    )


def back(scope: Scope, place: int) -> Scope:
    """Look at another place of the text.

    Raises:
        InputError: there is no such place.
    """
    if not 0 <= place <= scope.last:
        raise InputError("bad_place", value=place, last=scope.last)
    return replace(scope, place=place, logits=None, draws=0)


def take_up(scope: Scope, number: int, place: int) -> Scope:
    """Go on with branch `number` at one of its places; the text so far becomes a branch.

    Raises:
        InputError: there is no such branch, or no such place in it.
    """
    if not 0 <= number < len(scope.branches):
        raise InputError("bad_place", value=number, last=len(scope.branches) - 1)
    new = scope.branches[number]
    return back(replace(scope, text=new, branches=_left_behind(new, scope.text, *scope.branches)), place)


def _left_behind(new: Text, *others: Text) -> tuple[Text, ...]:
    """Return the texts that would otherwise be lost, in order: none that begins the new one or another."""
    kept: list[Text] = []
    for text in others:
        longer = [other for other in others if len(other) > len(text)]
        if not any(_begins(text, other) for other in (new, *kept, *longer)):
            kept.append(text)
    return tuple(kept[:MOST_BRANCHES])


def _begins(text: Text, other: Text) -> bool:
    return _ids(text) == _ids(other[: len(text)])


def _ids(text: Text) -> tuple[int, ...]:
    return tuple(token.token_id for token in text)
