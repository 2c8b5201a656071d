"""Every public callable of every room, called with what nobody should give it."""
