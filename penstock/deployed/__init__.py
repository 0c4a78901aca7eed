"""What is deployed, read and changed with the caller's AWS credentials: the only part of the desk that calls AWS.

account      boto3 clients; AWS's errors as ours
state        the deployed project: buckets, facts, manifest, plan, templates
needs        what DAGs need, against what is deployed; pure
push         the fast path: bundle and configs, nothing else
synth        the real CDK CLI, for the templates of a deploy that has not happened yet
"""
