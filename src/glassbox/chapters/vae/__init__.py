"""Chapter 5, variational autoencoders: what its page alone uses."""
