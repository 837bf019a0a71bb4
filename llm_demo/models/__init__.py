"""Where models come from: the catalogue, the weights that need no hub, and the loader."""
