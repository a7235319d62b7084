"""What stops the packer."""


class BundleError(Exception):
    """A bundle would lack something at run time; the message says what, where, and what to do."""
