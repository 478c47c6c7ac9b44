"""Texts that are hard to tokenise alike, drawn from a seed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_LETTERS = {
    "latin": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789     ",
    "words": " wireless headphones Smart-watch 2nd unaffable café Ångström ﬁne ①³℃ 😀👩‍👩‍👧🇮🇳👍🏽 ",
    "chinese": "智能手表没有無線耳機，。！「」々〇㐀𠀀𪜀 ",
    "kana": "ワイヤレスヘッドホンがぎぐひらがなｱﾞﾟー・ ",
    "right to left": "שעון חכם ساعة ذكية \u200f\u200e\u202b\u202c\u0651\u064b،؟ ",
    "marks": "aeiouAEIO\u0301\u0308\u0323\u0327\u0345\u20dd\u0489\u093e\u0e33\u0f71 ",
    "control": "ab \x00\x01\x07\t\n\x0b\r\x1b\x1c\x1f\x85\u200b\u200d\u2028\u2029\ufeff\ufffd\xad",
    "signs": "a1 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~¡§«¶·»¿–—…€™°[UNK][CLS]##ing ",
    "alike": "аbсԁеhі jоb ορ Ａｂ１！ l1l a1 1a i1\n рrice Σς ΟΔΟΣ İıſßẞ ",
    "hangul": "스마트 워치 각힣\u1100\u1161\u11a8 ",
    "later": "ᲉꟋ\U00010d50\U0001ccd6\u2c2f\ua7c0\U00010570\U00031350\U0002ebf0\u0897 a",
}


def generate_texts(number: int, seed: int = 0) -> Iterator[bytes]:
    """Draws texts: of one script, of several, of random code points, of broken UTF-8, long ones."""
    random = np.random.default_rng(seed)
    yield from _long_texts()
    kinds = list(_LETTERS)
    for index in range(number):
        way = index % 8
        if way < 4:
            letters = _LETTERS[kinds[random.integers(len(kinds))]]
        elif way == 4:
            letters = "".join(_LETTERS.values())
        elif way < 7:
            letters = _random_points(random, (0x300, 0x3000, 0x20000, 0x110000)[index % 4])
        else:
            letters = "éü智😀a \n-"
        length = int(random.geometric(0.02))
        text = "".join(letters[i] for i in random.integers(len(letters), size=length)).encode()
        if way == 7:
            text = _break(text, random)
        yield text


def all_code_points() -> Iterator[bytes]:
    """Each code point by itself, and between two letters."""
    for point in range(0x110000):
        if not 0xD800 <= point < 0xE000:
            yield chr(point).encode()
            yield f"a{chr(point)}b".encode()


def _long_texts() -> Iterator[bytes]:
    yield b""
    for unit in ("a", "ab ", "智", "é", "😀", "\u0301", " ", "-", "\x00", "a\n"):
        yield (unit * 100_000).encode()[:100_000]
    for length in (99, 100, 101, 102, 200):
        yield b"a" * length
        yield b"x " + "é".encode() * length
        yield b"title\n" + "ж".encode() * (length // 2)


def _random_points(random: np.random.Generator, stop: int) -> str:
    points = random.integers(stop, size=60)
    return "".join(chr(point) for point in points if not 0xD800 <= point < 0xE000) + " "


def _break(text: bytes, random: np.random.Generator) -> bytes:
    """Puts bytes into a text that are no UTF-8 there."""
    broken = bytearray(text)
    for place in random.integers(len(text) + 1, size=3):
        broken[place:place] = random.bytes(int(random.integers(1, 4)))
    return bytes(broken)
