"""Asks a model server, TensorFlow Serving's or the embedded one, without TensorFlow.

    from serving.client import Client

    with Client("grpc://localhost:8500") as client:
        print(client.predict({"image": Path("mug.jpg"), "title": "red mug"}).label)

Needs NumPy, urllib3, grpcio, protobuf and tqdm.
"""

from serving.client.answer import Answer, Explanation
from serving.client.client import Client
from serving.client.errors import ServingError

__all__ = ["Answer", "Client", "Explanation", "ServingError"]
