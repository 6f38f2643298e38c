"""Results into tables and figures, and the statistics that compare encoders and metrics."""
