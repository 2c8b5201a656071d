"""Chapter 1, autograd and hooks: what its page alone uses."""
