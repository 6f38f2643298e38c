"""The training loop: batches, optimisers, checkpoints. It knows no method."""
