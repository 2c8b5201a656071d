"""A training of one's own: python -m glassbox.chapters.your_folder --data DIR --out DIR."""
