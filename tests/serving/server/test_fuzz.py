"""A thousand malformed requests: each is refused, none is felt by the others."""

import base64
import http.client
import io
import json
import random
import socket
import threading
import zlib

import grpc
import numpy as np
import pytest
from PIL import Image

PREDICT = "/v1/models/toy:predict"
GOOD = {"image_bytes": "", "text": "red mug", "price": 2.5}
GOOD_BODY = json.dumps({"instances": [GOOD]}).encode()


def picture():
    content = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(content, "JPEG")
    return content.getvalue()


class Junk:
    """Draws malformed requests from a seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.picture = picture()

    def value(self, depth=0):
        draw = self.random
        kinds = [
            lambda: None,
            lambda: draw.random() < 0.5,
            lambda: draw.choice([0, -1, 2**31, 2**63, 2**64, -(2**63), 10**400, 1e308, 0.1]),
            lambda: "".join(chr(draw.choice([0, 34, 92, 65, 0x4E00, 0x1F600])) for _ in range(5)),
            lambda: {"b64": draw.choice(["", "aGk=", "*", "a", "====", "aGk", 5, None, []])},
            lambda: {"b64": base64.b64encode(self.cut_picture()).decode()},
        ]
        if depth < 4:
            kinds.append(lambda: [self.value(depth + 1) for _ in range(draw.randrange(4))])
            kinds.append(lambda: {self.name(): self.value(depth + 1) for _ in range(2)})
        return draw.choice(kinds)()

    def cut_picture(self):
        content = bytearray(self.picture[: self.random.randrange(len(self.picture))])
        for _ in range(5):
            if content:
                content[self.random.randrange(len(content))] = self.random.randrange(256)
        return bytes(content)

    def name(self):
        names = [
            "image_bytes",
            "text",
            "price",
            "x",
            "",
            "b64",
            "signature_name",
            "\u0000",
            "a" * 300,
        ]
        return self.random.choice(names)

    def document(self):
        draw = self.random
        row = {**GOOD, draw.choice(list(GOOD)): self.value()}
        if draw.random() < 0.3:
            row[self.name()] = self.value()
        if draw.random() < 0.2:
            row.pop(draw.choice(list(row)))
        shape = draw.randrange(6)
        if shape == 0:
            document = {"instances": self.value()}
        elif shape == 1:
            document = {"inputs": {name: self.value() for name in GOOD}}
        elif shape == 2:
            document = self.value()
        else:
            document = {"instances": [GOOD] * draw.randrange(3) + [row]}
        if isinstance(document, dict) and draw.random() < 0.3:
            names = ["serving_default", "typed", "single", "nope", "__saved_model_init_op", "", 1]
            document["signature_name"] = draw.choice(names)
        return document

    def body(self):
        draw = self.random
        content = json.dumps(self.document()).encode()
        way = draw.randrange(8)
        if way == 0:
            return content[: draw.randrange(len(content))]
        if way == 1:
            at = draw.randrange(len(content))
            return content[:at] + bytes([draw.randrange(256)]) + content[at + 1 :]
        if way == 2:
            depth = draw.choice([50, 900, 1100, 20000])
            return b'{"instances": ' + b"[" * depth + b"1" + b"]" * depth + b"}"
        if way == 3:
            return draw.randbytes(draw.randrange(200))
        return content

    def path(self):
        parts = ["toy", "other", "%00", "%2e%2e", "toy/versions/1", "toy/versions/9", "a" * 3000]
        parts += ["toy/versions/-1", f"toy/versions/{2**63}", "toy/labels/x", "toy/labels/%ff", ""]
        methods = [":predict"] * 4 + [":classify", ":regress", ":x", ""]
        return f"/v1/models/{self.random.choice(parts)}{self.random.choice(methods)}"

    def headers(self):
        kinds = [{}] * 12 + [
            {"Content-Encoding": "gzip"},
            {"Content-Encoding": "deflate"},
            {"Content-Encoding": "br"},
            {"Content-Type": "multipart/form-data; boundary=x"},
            {"Content-Type": "application/json; charset=utf-16"},
            {"Expect": "100-continue"},
        ]
        return self.random.choice(kinds)


class Neighbour(threading.Thread):
    """Sends good requests all the while and notes every other answer."""

    def __init__(self, url):
        super().__init__()
        self.host = url.removeprefix("http://")
        self.stop = threading.Event()
        self.count = 0
        self.wrong = []

    def run(self):
        connection = http.client.HTTPConnection(self.host, timeout=30)
        while not self.stop.is_set():
            connection.request("POST", PREDICT, GOOD_BODY)
            response = connection.getresponse()
            answer = response.read()
            self.count += 1
            if response.status != 200 or b'"v1 class' not in answer:
                self.wrong.append((response.status, answer))
        connection.close()


@pytest.fixture
def neighbour(running):
    thread = Neighbour(running.url)
    thread.start()
    yield thread
    thread.stop.set()
    thread.join()
    assert thread.wrong == []
    assert thread.count > 20


def ask(host, method, path, body, headers):
    connection = http.client.HTTPConnection(host, timeout=30)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_rest(running, neighbour):
    junk = Junk(0)
    host = running.url.removeprefix("http://")
    refused = 0
    for at in range(600):
        path = PREDICT if junk.random.random() < 0.7 else junk.path()
        method = (
            "POST" if junk.random.random() < 0.9 else junk.random.choice(["GET", "PUT", "HEAD"])
        )
        body, headers = junk.body(), junk.headers()
        status, answer = ask(host, method, path, body, headers)
        assert status < 500, (at, method, path, body[:300], status, answer[:300])
        if status != 200 and method != "HEAD" and answer[:1] == b"{":
            assert list(json.loads(answer)) == ["error"]
            refused += 1
    assert refused > 400


def test_connections_that_are_no_http(running, neighbour):
    junk = Junk(1)
    lines = [
        b"POST /v1/models/toy:predict HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/models/toy:predict HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /v1/models/toy:predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"POST /v1/models/toy:predict HTTP/9.9\r\n\r\n",
        b"POST /" + b"a" * 20000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"y" * 100000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]
    address = ("127.0.0.1", running.server.rest_port)
    for at in range(120):
        content = lines[at] if at < len(lines) else junk.random.randbytes(200)
        with socket.create_connection(address, timeout=20) as connection:
            connection.sendall(content)
            connection.shutdown(socket.SHUT_WR)
            try:
                answer = connection.recv(200)
            except ConnectionResetError:
                continue
            assert not answer.startswith(b"HTTP/1.1 5"), (content[:100], answer)


def test_decompression_bombs(running, neighbour):
    host = running.url.removeprefix("http://")
    for size in (100 << 20, 300 << 20):
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        block = bytes(1 << 20)
        bomb = b"".join(packer.compress(block) for _ in range(size >> 20)) + packer.flush()
        status, _ = ask(host, "POST", PREDICT, bomb, {"Content-Encoding": "gzip"})
        assert status == 413


def mutate(message, junk, types_pb2):
    """Changes a good request in one or several ways."""
    draw = junk.random
    for _ in range(draw.randrange(1, 4)):
        tensor = message.inputs[draw.choice([*GOOD, "x", ""])]
        way = draw.randrange(9)
        if way == 0:
            tensor.dtype = draw.choice([*types_pb2.DataType.values(), 99])
        elif way == 1:
            tensor.tensor_shape.dim.add().size = draw.choice([-1, 0, 1, 2, 2**40, 2**62])
        elif way == 2 and tensor.tensor_shape.dim:
            tensor.tensor_shape.dim[0].size = draw.choice([-1, 0, 2, 65, 2**30, 2**62])
        elif way == 3:
            tensor.tensor_content = draw.randbytes(draw.randrange(20))
        elif way == 4:
            tensor.tensor_shape.unknown_rank = True
        elif way == 5:
            tensor.string_val.append(junk.cut_picture())
        elif way == 6:
            tensor.float_val.append(draw.choice([float("inf"), 1.0]))
        elif way == 7:
            message.model_spec.signature_name = draw.choice(["typed", "single", "nope", "x" * 999])
        else:
            message.model_spec.version.value = draw.choice([-1, 0, 1, 9, 2**62])


def test_grpc(running, neighbour):
    from tensorflow.core.framework import types_pb2
    from tensorflow_serving.apis import predict_pb2

    from serving.server.rpc.tensors import write_tensor

    junk = Junk(2)
    fine = {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.FAILED_PRECONDITION,
    }
    seen = []
    with grpc.insecure_channel(running.target) as channel:
        call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
        for at in range(400):
            message = predict_pb2.PredictRequest()
            message.model_spec.name = "toy"
            write_tensor(np.array([junk.picture], object), message.inputs["image_bytes"])
            write_tensor(np.array([b"red mug"], object), message.inputs["text"])
            write_tensor(np.array([1.5], np.float32), message.inputs["price"])
            mutate(message, junk, types_pb2)
            content = bytearray(message.SerializeToString())
            if at % 4 == 0:
                for _ in range(3):
                    content[junk.random.randrange(len(content))] = junk.random.randrange(256)
            try:
                call(bytes(content), timeout=30)
                seen.append(None)
            except grpc.RpcError as error:
                assert error.code() in fine, (at, error.code(), error.details())
                seen.append(error.code())
        assert seen.count(None) < 150
        assert fine <= set(seen)


def test_still_well(running):
    assert running.get("/readyz")[0] == 200
    assert running.post(PREDICT, GOOD_BODY)[0] == 200
    text = running.get("/metrics")[1].decode()
    assert 'code="INTERNAL"' not in text
    assert 'code="UNKNOWN"' not in text
