"""What data looks like between the stages: schemas, datasets, manifests, results, errors.

This package imports nothing of Temper's; everything else imports it.
"""
