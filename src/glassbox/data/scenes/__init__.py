"""Drawn scenes: silhouettes on backgrounds, whose every mask and label is known."""
