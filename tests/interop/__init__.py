"""What other people's tools make of ours: Argo CD, Flux, Helm, Prometheus, Grafana."""
