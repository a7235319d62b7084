"""Tests of Sluice; CONTRIBUTING.md says what lives where."""
