"""The page on four tracebacks: what its page alone uses."""
