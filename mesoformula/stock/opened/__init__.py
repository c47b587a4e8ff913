"""What is opened, mixed and used, and how long it keeps."""
