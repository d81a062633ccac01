"""The in-cluster half of sealkit: turns SealedSecrets into Secrets and keeps them right."""
