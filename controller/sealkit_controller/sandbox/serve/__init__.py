"""The verbs of the API: what a request means and what it does."""
