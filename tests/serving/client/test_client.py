from __future__ import annotations

import math
import socket
import threading

import numpy as np
import pytest

from serving.client import Client, ServingError
from serving.client.retry import Retry

JPEG = b"\xff\xd8\xff picture \x00\x01"
FAST = Retry(first=0.001, longest=0.01)


@pytest.fixture
def client(url):
    with Client(url, retry=FAST) as client:
        yield client


@pytest.fixture
def answer_of(fake):
    """Returns a function from raw values to the toy model's label and scores."""

    def answer(image=b"", text=b"", price=math.nan):
        scores = fake.scores_of(image, text, price)
        return fake.CLASSES[scores.argmax()], dict(zip(fake.CLASSES, scores.tolist(), strict=True))

    return answer


def test_a_product_of_a_file_a_text_and_a_number(client, answer_of, tmp_path):
    (tmp_path / "a.jpg").write_bytes(JPEG)
    answer = client.predict({"image": tmp_path / "a.jpg", "text": "red mug 杯", "price": 9.5})
    label, scores = answer_of(JPEG, "red mug 杯".encode(), 9.5)
    assert (answer.label, answer.status) == (label, "ok")
    assert answer.scores == pytest.approx(scores, abs=1e-6)
    assert answer.confidence == pytest.approx(max(scores.values()), abs=1e-6)
    assert answer.is_answered


def test_bytes_names_of_inputs_and_columns_are_the_same(client, answer_of):
    scores = answer_of(JPEG, b"red mug\nfor tea", 3)[1]
    for product in (
        {"image_bytes": JPEG, "text": "red mug\nfor tea", "price": 3},
        {"image": JPEG, "title": "red  mug ", "description": "for tea", "price": "3"},
    ):
        assert client.predict(product).scores == pytest.approx(scores, abs=1e-6)


@pytest.mark.parametrize("product", [{}, {"price": None, "title": ""}, {"price": math.nan}])
def test_what_is_not_there_is_absent(client, answer_of, product):
    assert client.predict(product).scores == pytest.approx(answer_of()[1], abs=1e-6)


def test_a_bad_picture_is_answered_and_said(client):
    answer = client.predict({"image": b"\x00 no picture", "title": "mug"})
    assert answer.is_answered
    assert answer.status == "image_bytes: not a picture that can be decoded"


def test_the_version_is_known_over_grpc_or_where_it_was_asked_for(server):
    with Client(server.grpc) as client:
        assert client.predict({}).version == 7
    with Client(server.rest) as client:
        assert client.predict({}).version is None
    for url in (server.rest, server.grpc):
        with Client(url, version=5, retry=FAST) as client:
            assert client.predict({}).version == 5
    assert "/v1/models/taxofuse/versions/5:predict" in server.paths


def test_many_products_come_back_in_order(client, server, answer_of):
    products = [{"title": f"mug {i}", "price": i} for i in range(45)]
    server.seconds = 0.01
    answers = client.predict_many(products, in_flight=3, batch=4, progress=False)
    assert [a.scores for a in answers] == [
        pytest.approx(answer_of(text=f"mug {i}".encode(), price=i)[1], abs=1e-6) for i in range(45)
    ]
    sizes = [rows["text"] for name, rows in server.requests if name == "serving_default"]
    assert sorted(sizes) == [1] + [4] * 11
    assert server.most_at_once == 3


def test_many_products_of_a_generator_are_read_as_they_are_sent(client, server):
    read, ahead = [], []

    def products():
        for i in range(60):
            read.append(i)
            done = sum(rows["text"] for name, rows in server.requests if name != "health")
            ahead.append(len(read) - done)
            yield {"title": str(i)}

    assert len(client.predict_many(products(), in_flight=2, batch=2, progress=False)) == 60
    assert max(ahead) <= (2 * 2 + 1) * 2


def test_a_bar_shows_the_progress(client, capsys):
    client.predict_many([{"title": "mug"}] * 5)
    assert "Asking: 100%" in capsys.readouterr().err


def test_a_failed_batch_does_not_lose_the_others(client, server):
    client.predict({})
    server.refuse("INTERNAL", "worker lost")
    products = [{"title": str(i)} for i in range(12)]
    answers = client.predict_many(products, in_flight=1, batch=4, progress=False)
    assert [a.is_answered for a in answers] == [False] * 4 + [True] * 8
    assert "worker lost" in answers[0].status
    assert answers[0].status.startswith("not answered: INTERNAL")
    assert math.isnan(answers[0].confidence)
    assert answers[0].label == ""


def test_or_it_raises_where_that_is_asked(client, server):
    client.predict({})
    server.refuse("INTERNAL", "worker lost")
    with pytest.raises(ServingError, match="worker lost"):
        client.predict_many([{}] * 9, on_error="raise", progress=False)
    with pytest.raises(ValueError, match="'status' or 'raise'"):
        client.predict_many([], on_error="ignore")


def test_rows_that_spoil_a_batch_stand_alone_in_the_end(client):
    products = [{"title": "poison" if i in (2, 9) else str(i)} for i in range(16)]
    answers = client.predict_many(products, batch=8, progress=False)
    assert [i for i, a in enumerate(answers) if not a.is_answered] == [2, 9]
    assert "INVALID_ARGUMENT" in answers[2].status


def test_products_that_cannot_be_read_cost_only_themselves(client, tmp_path):
    bad = [{"image": tmp_path / "nowhere.jpg"}, {"price": "cheap"}, {"size": 3}]
    answers = client.predict_many([{"title": "a"}, *bad, {"title": "b"}], progress=False)
    assert [a.is_answered for a in answers] == [True, False, False, False, True]
    for answer, part in zip(answers[1:4], ("nowhere.jpg", "'cheap'", "'size'"), strict=True):
        assert part in answer.status
    with pytest.raises(FileNotFoundError):
        client.predict_many(bad[:1], on_error="raise", progress=False)


def test_a_batch_beyond_the_card_is_refused_here(client):
    with pytest.raises(ValueError, match="at most 8, the largest that this model answers"):
        client.predict_many([{}] * 9, batch=9, progress=False)


@pytest.mark.parametrize(
    ("product", "error", "message"),
    [
        ({"colour": "red"}, ValueError, "Unknown input 'colour' of a product. The model reads"),
        ({"price": "cheap"}, ValueError, "'price' takes a number. Received: 'cheap'"),
        ({"price": b"\x00"}, ValueError, "'price' takes a number"),
        ({"image": 3}, ValueError, "takes a Path, bytes or a text. Received: int '3'"),
        ({"text": "a", "title": "b"}, ValueError, r"or its columns, not both.*'text', 'title'"),
        ({"image": "nowhere.jpg"}, FileNotFoundError, "nowhere.jpg"),
    ],
)
def test_a_wrong_product_is_refused_before_it_is_sent(client, product, error, message):
    with pytest.raises(error, match=message):
        client.predict(product)


def test_explanations(client):
    explanation = client.explain({"title": "red mug"})
    assert explanation.words == {"text": (("red", 0.75), ("mug", -0.5))}
    assert explanation.shares == {"image_bytes": 0.5, "text": -0.25, "price": 0.125}
    np.testing.assert_array_equal(explanation.regions["image_bytes"], [[0, 1], [2, 3]])
    assert explanation.status == "ok"


def test_features_status_metadata_health_and_card(client, fake):
    found = client.features([{"title": "a"}, {"title": "b"}])
    expected = [2 * fake.scores_of(b"", text, math.nan) for text in (b"a", b"b")]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    [status] = client.status()
    assert (status.version, status.state, status.error) == (7, "AVAILABLE", "")
    assert client.metadata().version == 7
    assert client.metadata().signatures["health"].inputs == {"probe": 7}
    assert client.health() == "ok"
    assert client.card().class_names == tuple(fake.CLASSES)
    assert client.card().max_batch == 8


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_without_a_card_inputs_go_by_their_names(serve, answer_of, protocol):
    server = serve(with_card=False)
    with Client(getattr(server, protocol)) as client:
        answer = client.predict({"image_bytes": JPEG, "text": "mug", "price": 2})
        assert answer.scores == pytest.approx(answer_of(JPEG, b"mug", 2)[1], abs=1e-6)
        with pytest.raises(ValueError, match="Unknown input 'title'"):
            client.predict({"title": "mug"})


def test_what_is_safe_is_repeated(client, server):
    client.predict({})
    before = len(server.requests)
    server.refuse("UNAVAILABLE", "queue is full", times=3)
    assert client.predict({}).is_answered
    assert len(server.requests) - before == 4


@pytest.mark.parametrize("code", ["INVALID_ARGUMENT", "NOT_FOUND", "INTERNAL"])
def test_what_repeating_cannot_mend_is_not_repeated(client, server, code):
    client.predict({})
    before = len(server.requests)
    server.refuse(code, "no", times=5)
    with pytest.raises(ServingError, match=f"{code}: ") as caught:
        client.predict({})
    assert caught.value.code == code
    assert len(server.requests) - before == 1


def test_a_model_that_is_being_loaded_is_waited_for(client, server):
    client.predict({})
    server.refuse("NOT_FOUND", "no versions", times=3)
    server.state = 20
    assert client.predict({}).is_answered
    server.refuse("NOT_FOUND", "no versions", times=9)
    with pytest.raises(ServingError, match="UNAVAILABLE: the model 'taxofuse' is being loaded"):
        client.predict({})


@pytest.mark.parametrize("protocol", ["rest", "grpc"])
def test_a_server_that_names_a_time_is_given_it(server, protocol):
    pauses = []
    retry = Retry(draw=lambda bound: 0.0, sleep=pauses.append)
    with Client(getattr(server, protocol), retry=retry) as client:
        client.predict({})
        server.refuse("RESOURCE_EXHAUSTED", "later", retry_after=2)
        assert client.predict({}).is_answered
    assert pauses == [2.0]


def test_a_full_message_over_grpc_is_not_repeated(server):
    with Client(server.grpc, retry=FAST) as client:
        client.predict({})
        server.refuse("RESOURCE_EXHAUSTED", "message too large")
        with pytest.raises(ServingError, match=r"message too large.*fewer products"):
            client.predict({})


def test_a_connection_that_breaks_before_an_answer_is_made_again(server):
    with Client(server.rest, retry=FAST) as client:
        client.predict({})
        server.refuse("RESET", "", times=2)
        assert client.predict({}).is_answered


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_nobody_there(scheme):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"{scheme}://127.0.0.1:{free.getsockname()[1]}"
    with Client(address, retry=FAST) as client, pytest.raises(ServingError) as caught:
        client.status()
    assert caught.value.code == "UNAVAILABLE"
    assert caught.value.is_safe
    assert "Check that the server runs at this address" in str(caught.value)


def test_a_slow_answer_is_not_asked_for_again(client, server):
    client.predict({})
    client.deadline, server.seconds = 0.15, 0.4
    before = len(server.requests)
    with pytest.raises(ServingError) as caught:
        client.predict({})
    assert caught.value.code == "DEADLINE_EXCEEDED"
    assert not caught.value.is_safe
    assert len(server.requests) - before == 1


def test_connections_are_used_again_from_many_threads(client, server):
    client.predict({})
    failures = []

    def ask():
        try:
            for i in range(20):
                assert client.predict({"title": str(i)}).is_answered
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(server.connections) <= 7


def test_headers_and_names_are_sent(server, url):
    with Client(url, headers={"Authorization": "Bearer x"}) as client:
        client.predict({})
    sent = {name.lower(): value for name, value in server.headers[-1].items()}
    assert sent["authorization"] == "Bearer x"
    with Client(url, model="other", retry=FAST) as client, pytest.raises(ServingError) as caught:
        client.call("health", {"probe": np.array([b""], object)})
    assert caught.value.code == "NOT_FOUND"
    assert "name and version" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "options", "message"),
    [
        ("localhost:8501", {}, "must be like http://host:8501 or grpc://host:8500"),
        ("grpc://host:8500/path", {}, "must be like"),
        ("http://h:1", {"version": 1, "label": "stable"}, "by version or by label, not both"),
        ("http://h:1", {"model": "a/b"}, "a name without '/'"),
        ("http://h:1", {"deadline": 0}, "seconds above 0"),
    ],
)
def test_a_wrong_call_is_refused(url, options, message):
    with pytest.raises(ValueError, match=message):
        Client(url, **options)
