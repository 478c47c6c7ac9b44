"""Pictures of the report, as SVG data URIs."""
