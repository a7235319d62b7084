"""The operator's command line, `sluice`."""
