"""The local cloud: small servers that stand in for Google Cloud on one machine; never deployed."""
