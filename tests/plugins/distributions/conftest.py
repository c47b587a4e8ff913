"""These are projects of their own: `test_distributions.py` builds and installs them, and runs their tests."""

collect_ignore_glob = ["*"]
