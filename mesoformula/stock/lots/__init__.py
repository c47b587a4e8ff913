"""What is known of lots, and whether they may be used."""
