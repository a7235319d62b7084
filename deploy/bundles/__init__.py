"""The bundles: one zip per function with its own code, the parts of shared/ and sql/ that it needs, and its pins.

    python -m deploy.bundles

All but `files` and `__main__` is pure: a tree of files (path → bytes) goes in, bundles come out.
"""
