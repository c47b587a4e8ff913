"""What is kept for whom: which lots fit, who chooses them, and what is missing."""
