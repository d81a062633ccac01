"""Judge sealed manifests without any key: each by itself, and all of a repository together. Pure.

Nothing is read or opened here. What is found is public: names, fields, key ids, sizes.
"""
