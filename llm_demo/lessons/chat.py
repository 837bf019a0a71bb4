"""The lessons of the Chat tab: one message, answered by one voice or several."""

from dataclasses import dataclass

from llm_demo.i18n import Translate
from llm_demo.lessons.lesson import Lesson
from llm_demo.sampling import Sampling

# Who else answers: nobody; the same model without its template, with its thinking the other way round, or under each
# of the four system messages.
BESIDE = ("none", "plain", "thinking", "systems")


@dataclass(frozen=True, slots=True)
class ChatLesson(Lesson):
    """One message, and who answers it.

    Attributes:
        sampling: of all answers; further ones of the same voice have the seeds that follow.
        beside: one of `BESIDE`.
        count: answers of the first voice.
        system: name of a system message, `own` for the template's.
        thinking: whether templates that know the switch have it on.
        opens: which fold has to be seen: `compare`, `settings` or `read`; empty for none.
    """

    sampling: Sampling
    beside: str = "none"
    count: int = 1
    system: str = "own"
    thinking: bool = False
    opens: str = ""

    def message(self, t: Translate) -> str:
        """Return what to send."""
        return t(f"chat.lesson_{self.id}")


GREEDY = Sampling("greedy", max_new_tokens=60)
LESSONS = (
    ChatLesson("C1", "", 2, GREEDY, opens="read"),
    ChatLesson("C2", "", 1, GREEDY, beside="plain", opens="compare"),
    ChatLesson("C3", "", 0, GREEDY, beside="plain", opens="compare"),
    ChatLesson("C4", "Qwen2.5-0.5B-Instruct", 1, Sampling("greedy", max_new_tokens=8)),
    ChatLesson("C5", "", 2, GREEDY, beside="systems", opens="compare"),
    ChatLesson("C6", "Qwen2.5-0.5B-Instruct", 0, Sampling("greedy", max_new_tokens=8)),
    ChatLesson("C7", "", 1, Sampling(max_new_tokens=60, temperature=0.7), count=3, opens="compare"),
    ChatLesson("C8", "Qwen3-0.6B", 0, Sampling("greedy", max_new_tokens=300), beside="thinking", opens="compare"),
)
