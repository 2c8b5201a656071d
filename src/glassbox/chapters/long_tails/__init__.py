"""Chapter 4, long tails: LDAM with Mixup: what its page alone uses."""
