"""Data quality: the rules, what they make of counts, and the score. Pure."""
