"""Catalogues: TOML files of substances, products and formulas, read into records, with a line per problem."""
