"""On how few dimensions features lie, and how fast their own clusters are learnt. No labels are needed."""
