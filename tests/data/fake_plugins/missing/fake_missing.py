"""A module without the attribute that its entry point names."""
