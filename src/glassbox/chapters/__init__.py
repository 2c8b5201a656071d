"""What belongs to one chapter alone, a room for each: figures, exercises, study, explorables.

A chapter imports from every room above, and from no other chapter. ``checking`` is what the checks
of all exercises share.
"""
