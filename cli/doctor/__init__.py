"""`sluice doctor`: an installation checked step by step, each fault with what mends it."""
