"""Where pretrained weights come from; nothing here falls back to random ones."""
