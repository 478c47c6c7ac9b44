"""Chinese characters that sound alike."""

from __future__ import annotations

import functools

from trainer.edits.edit import Edit, is_ideograph
from trainer.registry import EDITS


@EDITS.register("homophone")
class Homophone(Edit):
    """Writes another common character of the same sound and tone, as fast typing does.

    Reference:
        Su et al., 2022, "RoCBert", ACL 2022, without its frequencies.
    """

    def variants(self, word: str) -> list[str]:
        if not is_ideograph(word):
            return []
        sounds, characters = _sounds()
        return [other for other in characters.get(sounds.get(word, ""), ()) if other != word]


@functools.cache
def _sounds() -> tuple[dict[str, str], dict[str, list[str]]]:
    """Returns the sound of each common character, and the characters of each sound."""
    from pypinyin import Style, pinyin

    # The first level of GB 2312: the 3755 most common characters.
    common = [
        bytes([high, low]).decode("gb2312")
        for high in range(0xB0, 0xD8)
        for low in range(0xA1, 0xFF)
        if (high, low) <= (0xD7, 0xF9)
    ]
    sounds = {of: pinyin(of, style=Style.TONE3)[0][0] for of in common}
    characters: dict[str, list[str]] = {}
    for character, sound in sounds.items():
        characters.setdefault(sound, []).append(character)
    return sounds, characters
