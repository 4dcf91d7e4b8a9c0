"""Good input, damaged by chance: every reader of bytes that strangers send."""
