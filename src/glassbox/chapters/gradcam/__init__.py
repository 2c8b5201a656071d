"""Chapter 7, Grad-CAM: what its page alone uses."""
