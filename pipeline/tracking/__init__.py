"""MLflow, known nowhere else: where runs are kept, published and shown."""
