"""Embedded server: TF Serving's protocols in one Python process."""
