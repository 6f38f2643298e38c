"""What training remembers from step to step: banks and queues."""
