"""The embedded Kubernetes API server, for demos, development and tests."""
