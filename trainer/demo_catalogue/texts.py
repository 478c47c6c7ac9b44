"""Writes the title and the description of one product."""

from __future__ import annotations

import random
from dataclasses import dataclass

from trainer.demo_catalogue.chinese import CHINESE
from trainer.demo_catalogue.english import ENGLISH
from trainer.demo_catalogue.paint import Colour
from trainer.demo_catalogue.wording import PhraseBook, Topic, marked_words, strip_marks

LANGUAGES = {"en": ENGLISH, "zh": CHINESE}

# Chance that a description mentions products of another topic.
_MENTION_SHARE = 0.2


@dataclass(frozen=True)
class Text:
    """What is written about a product.

    Args:
        title: Its title, which always holds words that decide the topic, if any do.
        description: Its description; holds such words, too.
        title_words: The deciding words of the title, as they stand in it.
        description_words: The deciding words of the description.
        distractors: Words of the description that would decide for another topic.
    """

    title: str
    description: str
    title_words: tuple[str, ...]
    description_words: tuple[str, ...]
    distractors: tuple[str, ...]


def write_text(topic: str, language: str, colour: Colour, key: str, copy: int = 0) -> Text:
    """Writes about a product of a topic, whatever its shape.

    Args:
        topic: str. Vocabulary, a key of the phrase books.
        language: `"en"` or `"zh"`.
        colour: Its colour, which most titles name.
        key: str. Seeds every choice; the same key gives the same text.
        copy: int. 0 is the text itself; n > 0 its n-th near-duplicate, with two
            sentences exchanged and perhaps one added.
    """
    book = LANGUAGES[language]
    rng = random.Random(f"{key}/text")
    told = book.topics[topic]
    names = {
        "brand": rng.choice(book.brands),
        "model": f"{rng.choice('ABCDEGHKLMPRSTVXZ')}{rng.randint(2, 99)}0",
        "adjective": rng.choice(book.adjectives),
        "colour": colour.chinese if language == "zh" else colour.english,
    }
    title = rng.choice(book.titles).format(name=rng.choice(told.names), **names)
    sentences = _write_sentences(book, told, rng)
    mention = ""
    if rng.random() < _MENTION_SHARE:
        other = rng.choice([each for name, each in book.topics.items() if name != topic])
        mention = rng.choice(book.mentions).format(range=other.range_name)
    sentences = [rng.choice(book.openings).format(**names), *sentences]
    if copy:
        edit = random.Random(f"{key}/edit/{copy}")
        sentences[-2:] = sentences[:-3:-1]
        sentences += edit.sample(book.edits, edit.randint(0, 1))
    description = book.joint.join(sentences)
    return Text(
        title=strip_marks(title),
        description=strip_marks(
            book.joint.join([description, mention] if mention else [description])
        ),
        title_words=marked_words(title),
        description_words=marked_words(description),
        distractors=marked_words(mention),
    )


def _write_sentences(book: PhraseBook, told: Topic, rng: random.Random) -> list[str]:
    """Returns two or three sentences on the topic among two to four on nothing much."""
    chosen = rng.sample(told.sentences, rng.randint(2, 3))
    chosen += rng.sample(book.fillers, rng.randint(2, 4))
    rng.shuffle(chosen)
    return [sentence.format(n=rng.randint(2, 60), few=rng.randint(2, 9)) for sentence in chosen]
