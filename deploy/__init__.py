"""What the steps of the builds do (cloudbuild*.yaml): releases, migrations, rolling out and back; docs/deployment.md.

Only the standard library: the steps run it in the image of the Google Cloud CLI, without installing anything.
"""
