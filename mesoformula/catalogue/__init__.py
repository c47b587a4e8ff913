"""Catalogues: TOML files of substances, products and formulas, read into records with line-accurate problems."""
