"""Glassbox: the helper package of the book. Import what you need from its modules."""

__version__ = "0.1.0"
