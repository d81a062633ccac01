"""What an API server does to one object: check, complete, merge, own. Pure."""
