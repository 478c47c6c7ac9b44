"""Attacks on pictures: what a seller, or nature at its worst, could make of a photo."""
