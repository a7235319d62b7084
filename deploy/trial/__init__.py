"""The trial: every function runs from its zip, in a clean environment, in place of the local functions host.

python -m deploy.trial [--write-docs]
"""
