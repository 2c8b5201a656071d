"""Chapter 3, classifying images with a CNN: what its page alone uses."""
