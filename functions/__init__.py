"""The Cloud Functions of the pipeline, one folder each; functions.yaml is their table."""
