"""One file per figure. Each prints one JSON document: `make bench`, or `.venv/bin/python -m benchmarks.synth`."""
