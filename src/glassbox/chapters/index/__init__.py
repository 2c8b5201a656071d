"""The landing page: what its page alone uses."""
