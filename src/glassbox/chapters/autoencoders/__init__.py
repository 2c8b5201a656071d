"""Chapter 5, autoencoders: what its page alone uses."""
