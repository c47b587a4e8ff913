"""Bundled catalogues: data only, offered by the formulary plugin."""
