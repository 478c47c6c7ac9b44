"""Characters on which TensorFlow and Python may differ, because their Unicode versions do.

TensorFlow 2.21 carries several versions of Unicode: 13 lower-cases, 15.0 classifies in
regular expressions and strips accents, 16 folds case and finds punctuation. Python 3.11
has 14, later ones have later ones. Classes and case of a character stay as they are once it
has been added, so that only those differ which Unicode 14 lacks. The tables list
what TensorFlow does with them. They were found by running its operations on every code point.
"""

from __future__ import annotations

from serving.edge.texts.points import PointSet

LATER = PointSet(
    "558 58B-58C 5C8-5C9 88F 897 B53-B54 C5C CDC CF3 ECE 1ACF-1AF0 1B4E-1B4F 1B7F 1C89-1C8A 208F "
    "209D-209F 20C1-20C4 2427-2429 2B96 2E60-2E63 2FFC-2FFF 31E4-31EF A7CB-A7CF A7D2 A7D4 "
    "A7DA-A7F1 AB6C-AB6D FBC3-FBD2 FD90-FD91 FDC8-FDCE 105C0-105F3 107BB-107BF 10940-10959 "
    "10D40-10D8F 10EC2-10EFF 1123F-11241 11380-113E2 116D0-116E3 11B00-11BF9 11DB0-11DF1 "
    "11F00-11F5A 1246F 12475-1247F 12550-12686 1342F 13439-143FA 16100-16139 16D40-16D79 "
    "16EA0-16ED3 16FF2-16FF6 187F8-187FF 18CD6-18CFF 18D09-191D2 1B123-1B132 1B155 1B168 "
    "1CC00-1CEFD 1D127-1D128 1D1EB-1D1FF 1D250-1D2D3 1D6A6 1DB00-1DB1C 1DF1F-1DFFF 1E030-1E08F "
    "1E4D0-1E6FF 1F1AE 1F6D8-1F6DC 1F774-1F77F 1F7D9-1F7DB 1F7F1-1F7FF 1F8B2-1F8D8 1FA54-1FA57 "
    "1FA75-1FA77 1FA87-1FA8F 1FAAD-1FAAF 1FABB-1FABF 1FAC6-1FACF 1FADA-1FADF 1FAE8-1FAEF "
    "1FAF7-1FAFA 1FBCB-1FBEF 1FBFA 2B739-2B73F 2B81E 2CEA2-2CEAD 2EBF0-2EE5D 31350-3FC3F"
)
"""Not in Unicode 14, but in one up to 18; unassigned code points lie between."""
LATER_LETTERS_MARKS_NUMBERS = PointSet(
    "CF3 ECE 10EFD-10EFF 1123F-11241 11F00-11F10 11F12-11F3A 11F3E-11F42 11F50-11F59 1342F "
    "13440-13455 1B132 1B155 1D2C0-1D2D3 1DF25-1DF2A 1E030-1E06D 1E08F 1E4D0-1E4F9 2B739 "
    "31350-323AF"
)
"""Of `LATER`, those in Unicode 15.0 whose category begins with L, M or N."""
LATER_MARKS = PointSet(
    "CF3 ECE 10EFD-10EFF 11241 11F00-11F01 11F03 11F34-11F3A 11F3E-11F42 13440 13447-13455 1E08F "
    "1E4EC-1E4EF"
)
"""Of those, M."""
LATER_PUNCTUATION = PointSet(
    "1B4E-1B4F 1B7F 10D6E 113D4-113D5 113D7-113D8 11B00-11B09 11BE1 11F43-11F4F 16D6D-16D6F 1E5FF"
)
"""Of `LATER`, those in Unicode 16 whose category begins with P."""
LATER_FORMAT = PointSet("13439-1343F")
"""Of `LATER`, those in Unicode 16 of category Cf."""
LATER_ACCENTS = PointSet(
    "ECE 10EFD-10EFF 11241 11F00-11F01 11F36-11F3A 11F40 11F42 13440 13447-13455 1E08F 1E4EC-1E4EF"
)
"""Of `LATER`, those in Unicode 15.0 of category Mn."""
_FOLDED_RUNS = {
    0x1C89: "\u1c8a",
    0xA7CB: "\u0264\ua7cd",
    0xA7DA: "\ua7db",
    0xA7DC: "\u019b",
    0x105C9: "\U000105d2",
    0x105E4: "\U000105da",
    0x10D50: "".join(map(chr, range(0x10D70, 0x10D86))),
    0x1CCD6: "abcdefghijklmnopqrstuvwxyz0123456789",
    0x1E030: "абвгдежзиклмопрстуфхцчшыэюꚉәіјөүӏабвгдежзиклопсуфхцчшъыґіѕџҫꙑұ",
}
LATER_FOLDED = {
    **{first + i: folded for first, run in _FOLDED_RUNS.items() for i, folded in enumerate(run)},
    0x11383: "\U00011382\U000113c9",
    0x11385: "\U00011384\U000113bb",
    0x1138E: "\U0001138b\U000113c2",
    0x11391: "\U00011390\U000113c9",
    0x113C5: "\U000113c2\U000113c2",
    0x113C7: "\U000113c2\U000113b8",
    0x113C8: "\U000113c2\U000113c9",
    0x16121: "\U0001611e\U0001611e",
    0x16122: "\U0001611e\U00016129",
    0x16123: "\U0001611e\U0001611f",
    0x16124: "\U00016129\U0001611f",
    0x16125: "\U0001611e\U00016120",
    0x16126: "\U0001611e\U0001611e\U0001611f",
    0x16127: "\U0001611e\U00016129\U0001611f",
    0x16128: "\U0001611e\U0001611e\U00016120",
    0x16D68: "\U00016d67\U00016d67",
    0x16D69: "\U00016d63\U00016d67",
    0x16D6A: "\U00016d63\U00016d67\U00016d67",
}
"""Of `LATER`, what folding case and taking characters apart changes."""
NOT_IN_13 = PointSet(
    "888-891 898-89F 8C9-8D2 C3C 180F 1AC1-1ACE 1DFA 2C2F 2C5F A7C0-A7C1 A7D0-A7D9 A7F2-A7F4 "
    "FBC2 10570-105BC 10780-107BA 10F82-10F85 11070-11074 110C2 1AFF0-1AFFE 1CF00-1CF46 "
    "1DF00-1DF1E 1E2AE"
)
"""In Unicode 14, but not in 13, and with a case or of a kind that is passed over to find one."""
