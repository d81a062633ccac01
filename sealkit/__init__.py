"""sealkit: Kubernetes Secrets in Git, sealed to the public keys of your clusters."""

__version__ = "0.1.0"
