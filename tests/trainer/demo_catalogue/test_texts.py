from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import MultinomialNB

from trainer.demo_catalogue.paint import COLOURS
from trainer.demo_catalogue.plan import plan_products
from trainer.demo_catalogue.texts import LANGUAGES, write_text
from trainer.demo_catalogue.wording import marked_words, strip_marks

UNDECIDED = ("living", "plant")


def _occurs(word: str, text: str, language: str) -> bool:
    if language == "zh":
        return word in text
    return re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE) is not None


def test_marks_are_read_and_removed():
    marked = "Counts [laps] and [reps], then [laps]."
    assert marked_words(marked) == ("laps", "reps")
    assert strip_marks(marked) == "Counts laps and reps, then laps."


def test_languages_have_the_same_topics():
    assert list(LANGUAGES["en"].topics) == list(LANGUAGES["zh"].topics)


@pytest.mark.parametrize("language", LANGUAGES)
def test_deciding_words_belong_to_one_topic_only(language):
    book = LANGUAGES[language]
    said = {
        name: strip_marks("\n".join(topic.names + topic.sentences))
        for name, topic in book.topics.items()
    }
    said["anything"] = "\n".join(
        book.fillers + book.openings + book.adjectives + book.mentions + book.edits + book.brands
    )
    for name, topic in book.topics.items():
        for word in marked_words("\n".join(topic.names + topic.sentences)):
            elsewhere = [other for other, text in said.items() if _occurs(word, text, language)]
            assert elsewhere == [name], word


@pytest.mark.parametrize("language", LANGUAGES)
def test_titles_and_descriptions_hold_the_deciding_words(language):
    for topic in LANGUAGES[language].topics:
        for number in range(20):
            text = write_text(topic, language, COLOURS[0], f"0/{number}")
            assert bool(text.title_words) == (topic not in UNDECIDED)
            assert bool(text.description_words) == (topic not in UNDECIDED)
            assert all(word in text.title for word in text.title_words)
            assert all(word in text.description for word in text.description_words)
            assert all(word in text.description for word in text.distractors)
            assert not set(text.distractors) & set(text.description_words)
            assert not re.search(r"[\[\]{}]", text.title + text.description)


def test_chinese_texts_have_chinese_punctuation():
    for number in range(50):
        text = write_text("crops", "zh", COLOURS[1], f"0/{number}")
        assert text.description.endswith("。")
        assert not set(text.description) & set(",;!?")


def test_a_copy_says_nearly_the_same():
    original = write_text("patient", "en", COLOURS[2], "0/7")
    copy = write_text("patient", "en", COLOURS[2], "0/7", copy=1)
    assert copy.title == original.title
    assert copy.description != original.description
    assert set(copy.description_words) == set(original.description_words)


def _held_out_accuracy(family: str, target: str) -> float:
    plans = [
        plan
        for plan in plan_products(3000, 0)
        if plan.product_class.family == family and plan.copy == 0
    ]
    texts = []
    for plan in plans:
        topic = plan.product_class.topic
        text = write_text(topic, plan.language, plan.colour, f"0/{plan.number}")
        texts.append(f"{text.title} {text.description}")
    labels = np.array([getattr(plan.product_class, target) for plan in plans])
    features = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)).fit_transform(texts)
    train = np.arange(len(plans)) % 2 == 0
    model = MultinomialNB(alpha=0.02).fit(features[train], labels[train])
    return float(model.score(features[~train], labels[~train]))


@pytest.mark.parametrize("family", ["worn", "watching", "moving"])
def test_words_tell_half_of_a_grid(family):
    assert _held_out_accuracy(family, "topic") > 0.97
    assert 0.38 < _held_out_accuracy(family, "path") < 0.62


@pytest.mark.parametrize("family", ["meter", "printer"])
def test_words_tell_the_classes_that_look_alike(family):
    assert _held_out_accuracy(family, "path") > 0.97


# The share of the largest class is what guessing reaches.
@pytest.mark.parametrize(("family", "guessing"), [("living", 8 / 14), ("plant", 5 / 9)])
def test_words_tell_nothing_where_only_the_picture_does(family, guessing):
    assert _held_out_accuracy(family, "path") < guessing + 0.08
