"""What belongs to one chapter alone, a room for each: figures, exercises, study, explorables.

A chapter imports from every room above, and from no other chapter. ``checking`` judges the answers
to all exercises, with ``answers`` for what they give and ``traces`` for what they leave behind.
"""
