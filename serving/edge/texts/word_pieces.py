"""WordPiece tokenisation as tensorflow_text's FastBertTokenizer does it."""

from __future__ import annotations

from collections.abc import Sequence

from serving.edge.texts.word_letters import WordLetters

_MAX_WORD_BYTES = 100
_MAX_KNOWN_WORDS = 50_000


class WordPieces:
    """Cuts texts into the pieces of a BERT vocabulary.

    Args:
        vocabulary: Word pieces in the order of their ids; `##` begins those
            that go on with a word.
        lowercase: bool. As for `WordLetters`.

    Reference:
        Song et al., 2021, arXiv:2012.15524, of which this gives the same pieces
        the plain way: from the left the longest that fits. Words come again,
        so each is cut only once.
    """

    def __init__(self, vocabulary: Sequence[str], lowercase: bool) -> None:
        self._ids = {piece: index for index, piece in enumerate(vocabulary)}
        self._unknown = (self._ids["[UNK]"],)
        self._longest = max(map(len, vocabulary))
        self._letters = WordLetters(lowercase)
        self._words: dict[str, tuple[int, ...]] = {}

    def tokenize(self, text: bytes, max_pieces: int) -> list[int]:
        """Returns the ids of the first `max_pieces` pieces; `text` is UTF-8, broken or not."""
        pieces: list[int] = []
        for word in text.decode("utf-8", "replace").translate(self._letters).split():
            pieces += self._words.get(word) or self._cut(word)
            if len(pieces) >= max_pieces:
                break
        return pieces[:max_pieces]

    def _cut(self, word: str) -> tuple[int, ...]:
        if len(self._words) >= _MAX_KNOWN_WORDS:
            self._words.clear()
        self._words[word] = pieces = self._cut_new(word)
        return pieces

    def _cut_new(self, word: str) -> tuple[int, ...]:
        if len(word.encode()) > _MAX_WORD_BYTES:
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
