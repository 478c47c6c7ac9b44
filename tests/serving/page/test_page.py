"""The page in a real browser, beside a server whose answers are known."""

from __future__ import annotations

import asyncio
import json
import math
import threading
from pathlib import Path

import pytest
from aiohttp import web
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

import serving.page
from serving.server.rest.pages import Pages

pytestmark = pytest.mark.browser

CARD = {
    "inputs": [
        {"name": "image_bytes", "kind": "image", "columns": ["image"]},
        {"name": "text", "kind": "text", "columns": ["title"]},
        {"name": "price", "kind": "number", "columns": ["price"]},
    ]
}
ANSWER = {
    "label": ["Home > Kitchen"],
    "confidence": [0.75],
    "scores": [[0.2, 0.75, 0.05]],
    "labels": [["Office", "Home > Kitchen", "Wearables"]],
    "status": ["ok"],
}
REASONS = {
    "inputs": [["image_bytes", "text", "price"]],
    "shares": [[3.0, 1.5, -0.5]],
    "image_bytes_regions": [[[0.0, 1.0], [0.0, -0.5]]],
    "text_words": [["steel", "<b>mug</b>", ""]],
    "text_word_scores": [[-0.25, 1.0, 0.0]],
}


@pytest.fixture(scope="module")
def server():
    """Serves the page; `asked` keeps what it sends, `answer` is what it is told."""

    class Server:
        pass

    Server.asked = []
    Server.answer = (200, {"outputs": ANSWER})

    async def predict(request):
        # As TensorFlow Serving does, JSON may have NaN.
        asked = json.loads(await request.text())
        Server.asked.append(asked)
        if asked["signature_name"] == "health":
            outputs = {"status": ["ok"], "card": [json.dumps(CARD)]}
            return web.json_response({"outputs": outputs})
        if asked["signature_name"] == "explain" and Server.answer[0] == 200:
            return web.json_response({"outputs": REASONS})
        return web.json_response(Server.answer[1], status=Server.answer[0])

    pages = Pages(Path(serving.page.__file__).parent / "static")

    async def get(request):
        if request.path == "/page/models":
            return web.json_response({"models": ["shop"]})
        return pages.find(request.path)

    started = threading.Event()

    async def serve():
        application = web.Application(client_max_size=2**24)
        application.router.add_post("/v1/models/shop:predict", predict)
        application.router.add_get("/{path:.*}", get)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        Server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        Server.loop, Server.stop = asyncio.get_running_loop(), asyncio.Event()
        started.set()
        await Server.stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert started.wait(10)
    yield Server
    Server.loop.call_soon_threadsafe(Server.stop.set)
    thread.join(10)


@pytest.fixture
def page(browser, server):
    server.asked.clear()
    server.answer = (200, {"outputs": ANSWER})
    browser.get_log("browser")  # forgets what other tests left
    browser.get(server.url)
    wait(browser, lambda: browser.find_elements(By.NAME, "price"))
    return browser


def wait(browser, found):
    return WebDriverWait(browser, 10).until(lambda _: found())


def classify(browser):
    browser.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
    idle = "#answer:not([aria-busy]) > *"
    wait(browser, lambda: browser.find_elements(By.CSS_SELECTOR, idle))
    return browser.find_element(By.ID, "answer")


def test_a_product_is_answered_and_explained(page, server, tmp_path):
    photo = tmp_path / "mug.png"
    Image.new("RGB", (40, 20), "green").save(photo)
    page.find_element(By.NAME, "image_bytes").send_keys(str(photo))
    page.find_element(By.NAME, "text").send_keys("steel <b>mug</b>")
    answer = classify(page)

    told = answer.text
    assert "Home › Kitchen" in told and "75 % sure" in told
    assert told.index("Home > Kitchen") < told.index("Office") < told.index("Wearables")
    assert "Most of all for the answer: <b>mug</b>." in told
    assert "60 %" in told and "30 %" in told and "-10 %" in told  # shares
    words = {mark.text: mark for mark in answer.find_elements(By.TAG_NAME, "mark")}
    assert set(words) == {"steel", "<b>mug</b>"}
    assert (
        words["<b>mug</b>"].value_of_css_property("background-color") == "rgba(235, 70, 10, 0.55)"
    )
    pixel = "const c = document.querySelector('canvas'), x = arguments[0] * c.width;"
    pixel += "return [...c.getContext('2d').getImageData(x, arguments[1] * c.height, 1, 1).data]"
    red, _, blue, strong = page.execute_script(pixel, 0.9, 0.1)
    assert red > blue and strong > 100
    red, _, blue, weak = page.execute_script(pixel, 0.9, 0.9)
    assert blue > red and 0 < weak < strong

    health, predicted, explained = server.asked
    assert health["signature_name"] == "health"
    assert predicted["inputs"]["text"] == ["steel <b>mug</b>"]
    assert set(predicted["inputs"]["image_bytes"][0]) == {"b64"}
    assert math.isnan(predicted["inputs"]["price"][0])
    assert explained["inputs"]["image_bytes"] == predicted["inputs"]["image_bytes"]


def test_what_is_wrong_is_said(page, server):
    server.answer = (200, {"outputs": {**ANSWER, "status": ["image_bytes: not a picture"]}})
    assert "image_bytes: not a picture" in classify(page).text


def test_an_error_of_the_server_is_shown(page, server):
    server.answer = (503, {"error": "The batch scheduling queue is full"})
    problem = classify(page).find_element(By.CSS_SELECTOR, "[role=alert]")
    assert problem.text == "The batch scheduling queue is full"


def test_clearing_forgets_the_product(page, server, tmp_path):
    photo = tmp_path / "mug.png"
    Image.new("RGB", (40, 20), "green").save(photo)
    page.find_element(By.NAME, "image_bytes").send_keys(str(photo))
    classify(page)
    page.find_element(By.CSS_SELECTOR, "button[type=reset]").click()
    assert page.find_element(By.ID, "answer").text == ""
    assert not page.find_element(By.TAG_NAME, "figure").is_displayed()
    classify(page)
    assert server.asked[-1]["inputs"]["image_bytes"] == [""]


def test_it_fits_a_phone_and_loads_nothing_from_elsewhere(page):
    width = page.execute_script("return document.documentElement.scrollWidth - innerWidth")
    assert width <= 0
    assert [line for line in page.get_log("browser") if line["level"] == "SEVERE"] == []
    labelled = page.execute_script(
        "return [...document.querySelectorAll('input, textarea')].every(e => e.labels.length)"
    )
    assert labelled
