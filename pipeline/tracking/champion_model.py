"""What MLflow runs of a registered champion: code of four lines over its folder of safetensors.

MLflow copies this file beside the model ("models from code"), so nothing is pickled and nothing
unpickled. What it does stands in `pipeline.tracking.serving`, and needs the project installed.
"""

from mlflow.models import set_model

from pipeline.tracking.serving import Champion

set_model(Champion())
