"""A mutation fuzzer for every reader of what comes from outside: `make fuzz`."""
