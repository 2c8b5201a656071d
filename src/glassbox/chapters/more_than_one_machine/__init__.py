"""The page on training in several processes."""
