"""A suite's params.yaml: its schema, its checks, and where everything that it names lies."""
