"""The bridge to providers with a protocol of their own, through the litellm library (extra `bridge`)."""
