"""What the performance report is made from; benchmarks are measured, never asserted on."""
