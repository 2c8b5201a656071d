"""Chapter 6, pretraining: what its page alone uses."""
