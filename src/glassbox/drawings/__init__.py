"""The drawings that belong to one chapter alone, one module a chapter."""
