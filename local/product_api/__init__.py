"""The simulated product API as the local cloud runs it: functions/product_api, and whatever a test lets go wrong."""
