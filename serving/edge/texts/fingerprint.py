"""FarmHash Fingerprint64, the hash of `tf.strings.to_hash_bucket_fast`."""

from __future__ import annotations

_MASK = 2**64 - 1
_K0 = 0xC3A5C85C97CB3127
_K1 = 0xB492B66FBE98F273
_K2 = 0x9AE16A3B2F90404F
_SEED = 81


def fingerprint64(text: bytes) -> int:
    """Returns the 64-bit fingerprint of a string.

    Reference:
        FarmHash 1.1, `farmhashna::Hash64`.
    """
    if len(text) <= 16:
        return _hash_to_16(text)
    if len(text) <= 32:
        return _hash_to_32(text)
    return _hash_to_64(text) if len(text) <= 64 else _hash_long(text)


def _hash_to_16(text: bytes) -> int:
    size = len(text)
    multiplier = _K2 + 2 * size
    if size >= 8:
        a, b = _fetch(text, 0) + _K2, _fetch(text, -8)
        c = _rotate(b, 37) * multiplier + a
        d = (_rotate(a, 25) + b) * multiplier
        return _hash_two(c, d, multiplier)
    if size >= 4:
        first, last = (int.from_bytes(part, "little") for part in (text[:4], text[-4:]))
        return _hash_two(size + (first << 3), last, multiplier)
    if size > 0:
        y = text[0] + (text[size >> 1] << 8)
        z = size + (text[-1] << 2)
        return _shift_mix(y * _K2 ^ z * _K0) * _K2 & _MASK
    return _K2


def _hash_to_32(text: bytes) -> int:
    multiplier = _K2 + 2 * len(text)
    a, b = _fetch(text, 0) * _K1, _fetch(text, 8)
    c, d = _fetch(text, -8) * multiplier, _fetch(text, -16) * _K2
    return _hash_two(
        _rotate(a + b, 43) + _rotate(c, 30) + d, a + _rotate(b + _K2, 18) + c, multiplier
    )


def _hash_to_64(text: bytes) -> int:
    multiplier = _K2 + 2 * len(text)
    a, b = _fetch(text, 0) * _K2, _fetch(text, 8)
    c, d = _fetch(text, -8) * multiplier, _fetch(text, -16) * _K2
    y = _rotate(a + b, 43) + _rotate(c, 30) + d
    z = _hash_two(y, a + _rotate(b + _K2, 18) + c, multiplier)
    e, f = _fetch(text, 16) * multiplier, _fetch(text, 24)
    g, h = (y + _fetch(text, -32)) * multiplier, (z + _fetch(text, -24)) * multiplier
    return _hash_two(
        _rotate(e + f, 43) + _rotate(g, 30) + h, e + _rotate(f + a, 18) + g, multiplier
    )


def _hash_long(text: bytes) -> int:
    x, y = (_SEED * _K2 + _fetch(text, 0)) & _MASK, _SEED * _K1 + 113
    z = _shift_mix(y * _K2 + 113) * _K2
    v, w = (0, 0), (0, 0)
    end = (len(text) - 1) // 64 * 64
    for at in range(0, end, 64):
        x = _rotate(x + y + v[0] + _fetch(text, at + 8), 37) * _K1
        y = _rotate(y + v[1] + _fetch(text, at + 48), 42) * _K1
        x ^= w[1]
        y = (y + v[0] + _fetch(text, at + 40)) & _MASK
        z = _rotate(z + w[0], 33) * _K1
        v = _hash_block(text, at, v[1] * _K1, x + w[0])
        w = _hash_block(text, at + 32, z + w[1], y + _fetch(text, at + 16))
        z, x = x & _MASK, z & _MASK
    multiplier = _K1 + ((z & 0xFF) << 1)
    at = len(text) - 64
    w = (w[0] + ((len(text) - 1) & 63), w[1])
    v = (v[0] + w[0], v[1])
    w = (w[0] + v[0], w[1])
    x = _rotate(x + y + v[0] + _fetch(text, at + 8), 37) * multiplier
    y = _rotate(y + v[1] + _fetch(text, at + 48), 42) * multiplier
    x ^= w[1] * 9
    y += v[0] * 9 + _fetch(text, at + 40)
    z = _rotate(z + w[0], 33) * multiplier
    v = _hash_block(text, at, v[1] * multiplier, x + w[0])
    w = _hash_block(text, at + 32, z + w[1], y + _fetch(text, at + 16))
    z, x = x, z
    return _hash_two(
        _hash_two(v[0], w[0], multiplier) + _shift_mix(y) * _K0 + z,
        _hash_two(v[1], w[1], multiplier) + x,
        multiplier,
    )


def _hash_block(text: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    """Mixes 32 bytes with two seeds."""
    first, second, third, fourth = (_fetch(text, at + 8 * i) for i in range(4))
    a += first
    b = _rotate(b + a + fourth, 21)
    c = a
    a += second + third
    return (a + fourth) & _MASK, (b + _rotate(a, 44) + c) & _MASK


def _hash_two(u: int, v: int, multiplier: int) -> int:
    a = _shift_mix((u ^ v) * multiplier)
    b = _shift_mix((v ^ a) * multiplier)
    return b * multiplier & _MASK


def _shift_mix(value: int) -> int:
    value &= _MASK
    return value ^ value >> 47


def _rotate(value: int, bits: int) -> int:
    value &= _MASK
    return (value >> bits | value << 64 - bits) & _MASK


def _fetch(text: bytes, at: int) -> int:
    """Returns 8 bytes as a number; a negative place counts from the end."""
    at %= len(text)
    return int.from_bytes(text[at : at + 8], "little")
