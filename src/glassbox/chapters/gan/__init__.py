"""Chapter 5, adversarial networks: what its page alone uses."""
