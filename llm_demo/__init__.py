"""The backend of a demo that shows how a language model writes: tokens, scores, strategies."""

import os

# MKL then sums in one order whatever the place of its numbers in memory is. Without it one text could come out in two
# ways, alone and in a crowd. It is read at the first product, so it stands before anything else.
os.environ.setdefault("MKL_CBWR", "AUTO")
