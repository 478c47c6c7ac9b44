"""Commands that serving brings to `taxofuse`."""
