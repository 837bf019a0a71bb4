"""The lessons of the Ablation tab: prompts in parts, with what each part is meant to bring about."""

from dataclasses import dataclass, replace

from llm_demo.ablation.parts import Part
from llm_demo.ablation.variants import DEFAULT, Scheme
from llm_demo.adherence import Check
from llm_demo.lessons.lesson import Lesson
from llm_demo.sampling import Sampling


@dataclass(frozen=True, slots=True)
class Case:
    """One experiment of a lesson.

    Attributes:
        name: the key of its title.
        parts: of the prompt; the last is the topic.
        checks: each belongs to a part.
        samplings: of the answers of each variant, greedy decoding first.
        schemes: which variants are made; none where `chosen` are all.
        chosen: variants by the numbers of their parts, from 0; without schemes the first is what others are compared
            with.
    """

    name: str
    parts: tuple[Part, ...]
    checks: tuple[Check, ...]
    samplings: tuple[Sampling, ...]
    schemes: tuple[Scheme, ...] = DEFAULT
    chosen: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class AblationLesson(Lesson):
    """One prompt in parts, or several to choose from.

    Attributes:
        cases: at least one.
    """

    cases: tuple[Case, ...]


def answers(tokens: int, samples: int = 4) -> tuple[Sampling, ...]:
    """Return a greedy answer and so many samples, their seeds from 0."""
    sampling = Sampling(max_new_tokens=tokens, temperature=0.7, top_p=0.9)
    return (replace(sampling, strategy="greedy"), *(replace(sampling, seed=seed) for seed in range(samples)))


def rule(name: str, vague: Part, precise: Part, topic: Part, check: tuple[str, str], tokens: int = 60) -> Case:
    """Return a golden rule: the precise wording of an instruction, then the vague one; the precise is to pass."""
    return Case(name, (precise, vague, topic), (Check(precise.name, *check),), answers(tokens), (), ((0, 2), (1, 2)))


INSTRUCT = "Qwen3-0.6B"
GIT = Part("topic", "What is Git useful for in a generative AI project?")
SHOTS = (
    Part("example 1", "Input: A wonderful film, I cried with joy.\nOutput: positive"),
    Part("example 2", "Input: A terrible film, two lost hours.\nOutput: negative"),
    Part("example 3", "Input: Clever, funny and beautifully shot.\nOutput: positive"),
)
REVIEW = "Input: A boring film with bad actors.\nOutput:"
DEBATE = "Question: When was the first televised debate between candidates for president of the United States?\nAnswer:"
LANDING = Part("example", "Question: When did the first human being travel to space?\nAnswer: 12-04-1961")
TENNIS = (
    "Question: Ana has 5 tennis balls. She buys 2 more cans of tennis balls, and each can has 3 tennis balls. "
    "How many tennis balls does she have now?\nAnswer:"
)

LESSONS = (
    AblationLesson(
        "A1",
        INSTRUCT,
        1,
        (
            Case(
                "git",
                (
                    Part("tone", "Explain it in a friendly and simple tone."),
                    Part("format", "Answer with exactly three bullet points."),
                    GIT,
                ),
                (Check("format", "bullets", "3"), Check("topic", "contains", "Git")),
                answers(60),
            ),
        ),
    ),
    AblationLesson(
        "A2",
        INSTRUCT,
        0,
        (
            Case(
                "requests",
                (
                    Part("JSON", "Answer in JSON with the keys name and use."),
                    Part("no jargon", "Do not use jargon: avoid the words repository, commit and branch."),
                    Part("examples", "Give an example, beginning with the words “for example”."),
                    GIT,
                ),
                (
                    Check("JSON", "json", "name, use"),
                    Check("no jargon", "avoids", "repository, commit, branch, repositories, commits, branches"),
                    Check("examples", "contains", "for example"),
                ),
                answers(60),
            ),
        ),
    ),
    AblationLesson(
        "A3",
        "",
        2,
        (
            Case(
                "debate",
                (LANDING, Part("topic", DEBATE)),
                (Check("example", "pattern", r"\b\d{2}-\d{2}-\d{4}\b"),),
                answers(32),
                (),
                ((0, 1), (1,)),
            ),
        ),
    ),
    AblationLesson(
        "A4",
        "",
        0,
        (
            Case(
                "review",
                (
                    Part("task", "Classify each film review as positive or negative, with one word."),
                    *SHOTS,
                    Part("topic", REVIEW),
                ),
                (Check("example 1", "label", "positive, negative"), Check("topic", "pattern", r"(?i)^\W*negative")),
                answers(8),
                (),
                ((0, 1, 2, 3, 4), (0, 1, 4), (0, 4), (1, 2, 3, 4), (1, 4), (4,)),
            ),
        ),
    ),
    AblationLesson(
        "A5",
        "",
        1,
        (
            Case(
                "muffins",
                (
                    Part(
                        "steps",
                        "Think step by step: count, take away and add in order, and write the total at the end.",
                    ),
                    Part(
                        "topic",
                        "Question: A baker makes 15 muffins, eats 2 and gives 5 to a neighbour. A friend brings 6 "
                        "more, and her husband eats 2. How many muffins are left?\nAnswer:",
                    ),
                ),
                (Check("steps", "pattern", r"\d+ [-+] \d+"), Check("topic", "pattern", r"\b12\b")),
                answers(60),
                (),
                ((0, 1), (1,)),
            ),
            Case(
                "tennis",
                (
                    Part(
                        "worked answer",
                        "Question: A shop has 23 apples. It sells 20 and gets 6 more. How many apples does it have?\n"
                        "Answer: It had 23 apples and sold 20, so 23 - 20 = 3 are left. It gets 6 more: 3 + 6 = 9. "
                        "The answer is 9.",
                    ),
                    Part("topic", TENNIS),
                ),
                (Check("worked answer", "contains", "the answer is"), Check("topic", "pattern", r"\b11\b")),
                answers(60),
                (),
                ((0, 1), (1,)),
            ),
        ),
    ),
    AblationLesson(
        "A6",
        INSTRUCT,
        1,
        (
            rule(
                "style",
                Part("vague", "Write it nicely."),
                Part("precise", "Write it as a poem of four short lines, each on a line of its own."),
                Part("topic", "Describe autumn."),
                ("pattern", r"\A[^\n]{1,80}\n+[^\n]{1,80}\n+[^\n]{1,80}\n+[^\n]{1,80}"),
            ),
            rule(
                "length",
                Part("vague", "The explanation should be fairly short, only a few sentences, and not too long."),
                Part("precise", "Use 3 to 5 sentences."),
                Part("topic", "Explain to a child why the sky is blue."),
                ("sentences", "3-5"),
                100,
            ),
            Case(
                "separators",
                (
                    Part("instruction first", "Translate the text between the lines ### into Spanish.\n###"),
                    Part("text", "The weather is lovely today and we are going to the beach."),
                    Part("close", "###"),
                    Part("instruction last", "Translate that into Spanish."),
                ),
                (Check("instruction first", "language", "es"),),
                answers(40),
                (),
                ((0, 1, 2), (1, 3)),
            ),
            Case(
                "fallback",
                (
                    Part("text", "Text: Ana bought a red car in Seville.\nQuestion: How old is Ana?"),
                    Part("vague", "If you are not sure, say it somehow."),
                    Part("precise", "If the answer is not in the text, answer only “I do not know”."),
                ),
                (Check("precise", "contains", "I do not know"),),
                answers(40),
                (),
                ((0, 2), (0, 1)),
            ),
            rule(
                "output",
                Part("vague", "Tell me about the people in the text in an orderly way."),
                Part("precise", 'Answer only with JSON of this form: {"names": ["…", "…"]}'),
                Part("topic", "Text: Ana and Luis met Marta in Seville."),
                ("json", "names"),
                50,
            ),
            Case(
                "lead",
                (
                    Part("task", "Write a Python function that returns the square root of a number."),
                    Part("leading word", "import"),
                ),
                (Check("leading word", "pattern", r"(?m)^\s*(import|from)\s"),),
                answers(60),
                (),
                ((0, 1), (0,)),
            ),
            rule(
                "role",
                Part("vague", "Explain it well."),
                Part("precise", "You are a pirate: speak like one, with words such as “arr” and “matey”."),
                Part("topic", "How do I make a cup of tea?"),
                ("tone", "arr, arrr, matey, ahoy, aye, ye"),
            ),
        ),
    ),
)
