"""Commands that the package `serving` brings to `taxofuse`."""
