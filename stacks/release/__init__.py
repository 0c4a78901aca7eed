"""The plan's DAGs in a bucket: uploaded, then made live by one rule that `penstock push` follows too.

    source       where the project comes from that is deployed
    check        before anything changes: is something newer live? Then the deploy stops here
    dag_folder   where in a bucket the bundle goes, and the rights to it
    deployment   after everything else: the files, the facts about the deploy, and the switch to them
    function     the custom resource behind `check` and `deployment`

docs/adr/0004-who-owns-the-live-release.md says why.
"""
