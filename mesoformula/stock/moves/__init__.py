"""What is thrown away, moved, sent back, corrected and taken back."""
