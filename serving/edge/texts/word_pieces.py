"""WordPiece tokenisation as tensorflow_text's FastBertTokenizer does it."""

from __future__ import annotations

from collections.abc import Sequence

from serving.edge.texts.word_letters import DividedLetters, NormalLetters

_MAX_WORD_BYTES = 100
_MAX_KNOWN_WORDS = 50_000


class WordPieces:
    """Cuts texts into the pieces of a BERT vocabulary.

    Args:
        vocabulary: Word pieces in the order of their ids; `##` begins those
            that go on with a word.
        lowercase: bool. As for `NormalLetters`.

    Reference:
        Song et al., 2021, arXiv:2012.15524, of which this gives the same pieces
        the plain way: from the left the longest that fits. Words come again,
        so each is cut only once.
    """

    def __init__(self, vocabulary: Sequence[str], lowercase: bool) -> None:
        self._ids = {piece: index for index, piece in enumerate(vocabulary)}
        self._unknown = (self._ids["[UNK]"],)
        self._longest = max(map(len, vocabulary))
        self._normal = NormalLetters(lowercase)
        self._divided = DividedLetters()
        self._words: dict[str, tuple[int, ...]] = {}

    def tokenize(self, text: bytes, max_pieces: int) -> list[int]:
        """Returns the ids of the first `max_pieces` pieces; `text` is UTF-8, broken or not."""
        pieces: list[int] = []
        for word in self._split(text):
            pieces += self._words.get(word) or self._cut(word)
            if len(pieces) >= max_pieces:
                break
        return pieces[:max_pieces]

    def _split(self, text: bytes) -> list[str]:
        normal = _decode(text).translate(self._normal)
        # Bytes of a broken character that only an accent kept apart may now be a whole one.
        return _decode(_encode(normal)).translate(self._divided).split()

    def _cut(self, word: str) -> tuple[int, ...]:
        if len(self._words) >= _MAX_KNOWN_WORDS:
            self._words.clear()
        self._words[word] = pieces = self._cut_new(word)
        return pieces

    def _cut_new(self, word: str) -> tuple[int, ...]:
        if len(_encode(word)) > _MAX_WORD_BYTES:
            return self._unknown
        pieces: list[int] = []
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            for end in range(min(len(word), start + self._longest), start, -1):
                piece = self._ids.get(prefix + word[start:end])
                if piece is not None:
                    break
            else:
                return self._unknown
            pieces.append(piece)
            start = end
        return tuple(pieces)


def _decode(text: bytes) -> str:
    # Keeps each byte that is no UTF-8, as TensorFlow does.
    return text.decode("utf-8", "surrogateescape")


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
