"""From statistics of test items to scores with intervals; knows no task."""
