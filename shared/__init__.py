"""What the functions share: pure rules (domain, schemas) and the adapters at the edge."""
