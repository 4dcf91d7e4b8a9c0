"""A labelled corpus of made-up Chinese and English news, for measuring what finds copies.

    python -m benchmarks.dedup_corpus FILE [--documents N] [--seed N]        one JSON object a line

Every sentence is put together from our own vocabulary (`dedup_words`). An *original* tells one story. A *variant* is an
original with one kind of change; a *host* quotes one or five originals inside its own text; *traps* look alike and are
not: templates filled in anew, lists that are printed every day under one title, notices and company profiles that many
texts end with, other reports of the same day. Two documents belong together when their `stories` intersect, and are one
story when `story` is the same.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import lru_cache, partial
from pathlib import Path

DOCUMENTS = 24_000
SEED = 5
ENGLISH = 0.25
"""share of the stories"""
LISTED = {"zh": "{adjective}{noun}", "en": "{adjective} {noun}"}
"""goods of a price list"""
CITIES = 25
"""lines of a daily list"""
_SLOT = re.compile(r"\{(\w+)\}")
_RANGE = re.compile(r"<([\d.]+)-([\d.]+)>")
_SENTENCE = re.compile(r"[^。！？]*[。！？]”?|[^。！？]+$")
_EN_SENTENCE = re.compile(r".+?(?:[.?!]\"?(?=\s|$)|$)", re.DOTALL)


def _read_words() -> dict[str, dict[str, list[str]]]:
    """Language -> slot -> its words; besides "sentences", "forms" and "daily", whose slots are in braces, and ranges of figures
    in angles."""
    stored = tomllib.loads((Path(__file__).with_name("dedup_words.toml")).read_text("utf-8"))
    return {language: {slot: _split(words) for slot, words in slots.items()} for language, slots in stored.items()}


def _split(words: str | list[str]) -> list[str]:
    if isinstance(words, list):
        return words
    return words.replace("\n", "").split("|") if "|" in words else words.split()


WORDS = _read_words()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    id: int
    kind: str
    language: str
    title: str
    text: str
    story: int
    stories: tuple[int, ...]
    original: int | None = None
    """the document that this one is a variant of or quotes first"""


@dataclass(slots=True)
class Writer:
    """Makes sentences of one language."""

    language: str
    random: random.Random
    people: list[str] = field(default_factory=list)
    firms: list[str] = field(default_factory=list)

    @property
    def words(self) -> dict[str, list[str]]:
        return WORDS[self.language]

    @property
    def gap(self) -> str:
        return "" if self.language == "zh" else " "

    def sentence(self) -> str:
        made = self.fill(self.random.choice(self.words["sentences"]))
        return made[0].upper() + made[1:]

    def fill(self, pattern: str) -> str:
        return _SLOT.sub(lambda slot: self.word(slot.group(1)), pattern)

    def word(self, slot: str) -> str:
        made: dict[str, Callable[[], str]] = {"figure": self.figure, "person": self.person, "firm": self.firm}
        return made[slot]() if slot in made else self.random.choice(self.words[slot])

    def figure(self) -> str:
        scale = self.random.choice((10, 100, 1_000, 10_000))
        value = self.random.random() * scale
        return f"{value:.1f}" if self.random.random() < 0.4 else str(int(value) + 2)

    def person(self) -> str:
        return self.random.choice(self.people) if self.people and self.random.random() < 0.7 else self.new_person()

    def firm(self) -> str:
        return self.random.choice(self.firms) if self.firms and self.random.random() < 0.7 else self.new_firm()

    def new_person(self) -> str:
        first, last = self.random.choice(self.words["given"]), self.random.choice(self.words["surname"])
        return last + first if self.language == "zh" else f"{first} {last}"

    def new_firm(self) -> str:
        count = 2 if self.language == "zh" else 1
        return self.gap.join([*self.random.choices(self.words["firm"], k=count), self.random.choice(self.words["trade"])])

    def begin_story(self) -> None:
        self.people = [self.new_person() for _ in range(2)]
        self.firms = [self.new_firm() for _ in range(2)]

    def paragraphs(self, sentences: int) -> list[str]:
        """About `sentences` sentences, two to five a paragraph."""
        made = []
        while sentences > 0:
            count = min(sentences, self.random.randint(2, 5))
            made.append(self.gap.join(self.sentence() for _ in range(count)))
            sentences -= count
        return made

    def title(self) -> str:
        return self.fill("{firm}{adverb}{verb}{adjective}{noun}" if self.language == "zh" else "{firm} {adverb} {verb} {adjective} {noun}")

    def split(self, text: str) -> list[str]:
        pattern = _SENTENCE if self.language == "zh" else _EN_SENTENCE
        return [match.group().strip() for match in pattern.finditer(text) if match.group().strip()]


# Changes that keep the story. Each takes the text and a writer, and gives the text of a copy.


def reflow(text: str, by: Writer) -> str:
    """Other paragraphs, lines broken anywhere, spaces of several kinds."""
    sentences = by.split(text.replace("\n", by.gap))
    return "".join(sentence + by.random.choice(("\n", "\n\n\u3000\u3000", " ", "\u00a0")) for sentence in sentences)


_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def width(text: str, _: Writer) -> str:
    """Full-width letters and figures, as old systems print them."""
    return text.translate(_WIDE)


_PUNCTUATION = str.maketrans({"，": ",", "。": ".", "“": '"', "”": '"', "、": ",", "；": ";", "：": ":", ",": "", ";": " -", '"': "'"})


def punctuation(text: str, _: Writer) -> str:
    return text.translate(_PUNCTUATION)


def script(text: str, by: Writer) -> str:
    """Traditional script by OpenCC's phrases where it is installed, else character by character. English is shouted."""
    return to_traditional(text) if by.language == "zh" else text.upper()


def repost(text: str, by: Writer) -> str:
    """A line of origin before, a sentence and the editor behind."""
    if by.language == "zh":
        return f"来源：{by.new_firm()} 作者：{by.new_person()}\n{text}\n{by.sentence()}\n（责任编辑：{by.new_person()}）"
    return f"Source: {by.new_firm()}, by {by.new_person()}\n{text}\n{by.sentence()}\nEditor: {by.new_person()}"


def new_lead(text: str, by: Writer) -> str:
    """The first paragraph written anew, or as much of it as makes a third of the text."""
    first, *rest = text.split("\n")
    sentences = by.split(first)
    while len(sentences) > 1 and sum(map(len, sentences)) * 3 > len(text):
        sentences.pop()
    kept = by.split(first)[len(sentences) :]
    return "\n".join([by.gap.join([*(by.sentence() for _ in sentences), *kept]), *rest])


def new_figures(text: str, by: Writer) -> str:
    """A correction: one figure is another."""
    found = list(re.finditer(r"\d[\d.]*\d|\d", text))
    if not found:
        return text + by.sentence()
    match = by.random.choice(found)
    return text[: match.start()] + by.figure() + text[match.end() :]


def edit_sentences(rate: float) -> Callable[[str, Writer], str]:
    """Sentences replaced, deleted or added until `rate` of the letters are gone or new."""

    def edit(text: str, by: Writer) -> str:
        paragraphs = [by.split(paragraph) for paragraph in text.split("\n")]
        budget = rate * len(text)
        places = [(i, j) for i, sentences in enumerate(paragraphs) for j in range(len(sentences))]
        by.random.shuffle(places)
        for i, j in places:
            new = by.random.choice(("", by.sentence(), by.sentence(), paragraphs[i][j] + by.gap + by.sentence()))
            cost = max(len(new), len(paragraphs[i][j])) if paragraphs[i][j] not in new else len(new) - len(paragraphs[i][j])
            if cost <= budget:
                paragraphs[i][j] = new
                budget -= cost
        return "\n".join(by.gap.join(filter(None, sentences)) for sentences in paragraphs)

    return edit


def edit_words(rate: float) -> Callable[[str, Writer], str]:
    """Single words replaced all over the text until `rate` of the letters are new: the hardest for any shingle."""

    def edit(text: str, by: Writer) -> str:
        units = text.split(" ") if by.language == "en" else re.findall(r"[\u4e00-\u9fff]{1,2}|[^\u4e00-\u9fff]+", text)
        words = [i for i, unit in enumerate(units) if unit.isalpha()]
        for i in by.random.sample(words, min(len(words), round(rate * len(units)))):
            new = by.random.choice(by.words["noun"] if by.language == "en" else by.words["adverb"])
            units[i] = new[:2] if by.language == "zh" else new
        return by.gap.join(units)

    return edit


def cut(share: float) -> Callable[[str, Writer], str]:
    """The beginning only."""

    def shorten(text: str, by: Writer) -> str:
        kept = text[: int(share * len(text))]
        return kept + ("……（未完）" if by.language == "zh" else "... (more)")

    return shorten


def mixed(text: str, by: Writer) -> str:
    return script(repost(edit_sentences(0.1)(text, by), by), by)


VARIANTS: dict[str, Callable[[str, Writer], str]] = {
    "reflow": reflow,
    "width": width,
    "punctuation": punctuation,
    "script": script,
    "repost": repost,
    "new lead": new_lead,
    "new figure": new_figures,
    "mixed": mixed,
    **{f"sentences {rate} %": edit_sentences(rate / 100) for rate in (2, 5, 10, 20, 30)},
    **{f"words {rate} %": edit_words(rate / 100) for rate in (2, 5, 10, 20, 30)},
    **{f"cut to {share} %": cut(share / 100) for share in (70, 50, 30)},
}


def quote_whole(texts: list[str], by: Writer) -> str:
    """The whole of one text between paragraphs of another that is half to twice as long."""
    size = len(by.split(texts[0]))
    own = by.paragraphs(by.random.randint(max(size // 2, 2), 2 * size))
    place = by.random.randint(1, len(own))
    return "\n".join([*own[:place], *texts, *own[place:]])


def quote_most(texts: list[str], by: Writer) -> str:
    """Seven tenths of one text, in one piece, between paragraphs of another."""
    sentences = by.split(texts[0].replace("\n", by.gap))
    start = by.random.randint(0, len(sentences) * 3 // 10)
    piece = by.gap.join(sentences[start : start + len(sentences) * 7 // 10 + 1])
    return quote_whole([piece], by)


def digest_of(texts: list[str], by: Writer) -> str:
    """Several texts whole, each under a line of its own."""
    return "\n".join(line for text in texts for line in (by.sentence(), text))


HOSTS: dict[str, tuple[int, Callable[[list[str], Writer], str]]] = {
    "quoted whole": (1, quote_whole),
    "quoted mostly": (1, quote_most),
    "digest of five": (5, digest_of),
}


# Traps: texts that share much and are different stories.


def template(by: Writer) -> str:
    """A form filled in anew: nothing but names and figures differ."""
    return by.fill(by.random.choice(by.words["forms"]))


def price_list(by: Writer, goods: list[str]) -> str:
    """The same goods in the same order, at the prices of another day."""
    return "\n".join(f"{good} {by.figure()} {by.random.choice('+-')}{by.figure()}" for good in goods)


def daily_list(by: Writer, form: str) -> str:
    """What a site prints every day under one title: places, grades and fixed prizes stay, and what was measured moves a
    little. The first line is the title."""
    lines: list[str] = []
    for line in form.split("\n"):
        lines += [line.replace("{each}", place) for place in by.words["place"][:CITIES]] if "{each}" in line else [line]
    return _RANGE.sub(lambda ends: _between(by, *ends.groups()), "\n".join(lines))


def _between(by: Writer, low: str, high: str) -> str:
    return f"{by.random.uniform(float(low), float(high)):.{len(low.partition('.')[2])}f}"


def with_notice(by: Writer, notice: str, share: float) -> str:
    """A text of its own that ends with what many others end with. `share` of it is the notice."""
    own: list[str] = []
    while len("\n".join(own)) < len(notice) * (1 - share) / share:
        own.append(by.sentence() + by.gap + by.sentence())
    return "\n".join([*own, notice])


TRAPS = ("template", "price list", "daily list", "notice")


@lru_cache(maxsize=1)
def _traditional() -> Callable[[str], str]:
    try:
        import opencc  # type: ignore[import-not-found]
    except ImportError:
        fold = (Path(__file__).parents[1] / "pipelines/dedup/fold.txt").read_text("utf-8").split("@fold\n")[1]
        table = {ord(line[0]): line[1] for line in fold.split() if min(line) >= "\u4e00" and max(line) <= "\u9fff"}
        return lambda text: text.translate(table)
    converters = [opencc.OpenCC(name).convert for name in ("s2t", "s2twp", "s2hk")]
    return lambda text: converters[len(text) % 3](text)


def to_traditional(text: str) -> str:
    return _traditional()(text)


class Corpus:
    """Builds the documents one by one."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.documents: list[Document] = []
        self.writers = {language: Writer(language, self.random) for language in ("zh", "en")}
        self.goods = {name: [by.fill(LISTED[name]) for _ in range(20)] for name, by in self.writers.items()}
        self.notices = {name: [by.gap.join(by.sentence() for _ in range(6)) for _ in range(12)] for name, by in self.writers.items()}

    def _writer(self) -> Writer:
        by = self.writers["en" if self.random.random() < ENGLISH else "zh"]
        by.begin_story()
        return by

    def _add(
        self, kind: str, by: Writer, text: str, *, title: str = "", like: Document | None = None, quotes: tuple[Document, ...] = ()
    ) -> Document:
        number = len(self.documents)
        story = like.story if like else number
        stories = {story, *(like.stories if like else ()), *(one.story for one in quotes)}
        original = like.id if like else quotes[0].id if quotes else None
        title = title or (like.title if like and self.random.random() < 0.5 else by.title())
        made = Document(
            id=number,
            kind=kind,
            language=by.language,
            title=title,
            text=text,
            story=story,
            stories=tuple(sorted(stories)),
            original=original,
        )
        self.documents.append(made)
        return made

    def original(self, by: Writer | None = None) -> Document:
        by = by or self._writer()
        sentences = int(self.random.triangular(8, 45, 20))
        return self._add("original", by, "\n".join(by.paragraphs(sentences)))

    def variant(self, kind: str) -> None:
        like = self.original()
        self._add(kind, by := self.writers[like.language], VARIANTS[kind](like.text, by), like=like)

    def host(self, kind: str) -> None:
        count, make = HOSTS[kind]
        first = self.original()
        by = self.writers[first.language]
        quoted = (first, *(self.original(by) for _ in range(count - 1)))
        by.begin_story()
        self._add(kind, by, make([one.text for one in quoted], by), quotes=quoted)

    def trap(self, kind: str) -> None:
        by = self._writer()
        share = self.random.uniform(0.1, 0.5)
        made = {
            "template": lambda: template(by),
            "price list": lambda: price_list(by, self.goods[by.language]),
            "daily list": lambda: daily_list(by, self.random.choice(by.words["daily"])),
            "notice": lambda: with_notice(by, self.random.choice(self.notices[by.language]), share),
        }
        text = made[kind]()
        self._add(kind, by, text, title=text.partition("\n")[0] if kind == "daily list" else "")

    def same_day(self) -> None:
        """Two reports on the same people and firms, in other words."""
        by = self._writer()
        for _ in range(2):
            self._add("same day", by, "\n".join(by.paragraphs(self.random.randint(8, 25))))


def build(documents: int = DOCUMENTS, seed: int = SEED) -> list[Document]:
    """A corpus of about so many documents, in random order. The same for the same numbers."""
    corpus = Corpus(seed)
    steps: list[Callable[[], object]] = [partial(corpus.variant, kind) for kind in VARIANTS]
    steps += [partial(corpus.host, kind) for kind in HOSTS]
    steps += [partial(corpus.trap, kind) for kind in TRAPS] * 2
    steps += [corpus.same_day]
    while len(corpus.documents) < documents:
        for step in steps:
            step()
    corpus.random.shuffle(corpus.documents)
    return corpus.documents


def read(path: Path) -> Iterator[Document]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            stored = json.loads(line)
            yield Document(**{**stored, "stories": tuple(stored["stories"])})


def write(path: Path, documents: list[Document]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in documents)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else None)
    parser.add_argument("file", type=Path)
    parser.add_argument("--documents", type=int, default=DOCUMENTS)
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    write(given.file, build(given.documents, given.seed))


if __name__ == "__main__":
    main()
