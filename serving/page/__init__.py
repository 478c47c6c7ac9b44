"""The page at `/`: show a product, see where it belongs and what decided."""
