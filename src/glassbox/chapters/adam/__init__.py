"""Chapter 2, Adam opened up: what its page alone uses."""
