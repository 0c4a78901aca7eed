"""What a Meltano project and `penstock.yaml` must agree on: environment, references, state, settings of a run."""
