"""Other ways to write a word that a reader still understands: slips, tricks, other scripts."""
