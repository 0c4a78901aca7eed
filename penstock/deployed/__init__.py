"""What is deployed, read and changed with the caller's AWS credentials.

Two more parts of the desk call AWS: `penstock.adopt`, by this package's clients, and `penstock.local`, by clients of
its own, which call the embedded AWS and no other.

account      boto3 clients; AWS's errors as ours
state        the deployed project: buckets, facts, manifest, plan, templates
needs        what DAGs need, against what is deployed; pure
push         the fast path: bundle and configs, nothing else
synth        the real CDK CLI, for the templates of a deploy that has not happened yet
"""
