"""Values and laws: what keys, cells, deltas, versions and findings are. No I/O."""
