"""Chapter 6, residual blocks: what its page alone uses."""
