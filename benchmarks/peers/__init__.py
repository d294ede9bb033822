"""One script a peer. Each runs in an environment of its own and takes the same model folder and the same texts."""
