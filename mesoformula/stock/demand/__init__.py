"""Booked courses, and what they will take."""
