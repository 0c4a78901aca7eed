"""`python -m penstock_runtime`: run the task that the environment describes."""

import sys

from penstock_runtime.container.main import main

sys.exit(main())
