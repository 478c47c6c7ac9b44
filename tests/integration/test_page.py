"""The page of `taxofuse serve` for a trained model, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.browser


@pytest.fixture
def page(browser, served):
    browser.get_log("browser")  # forgets what other tests left
    browser.get(served["Page"])
    wait(browser, lambda: browser.find_elements(By.CSS_SELECTOR, "input[type=file]"))
    return browser


def wait(browser, found):
    return WebDriverWait(browser, 30).until(lambda _: found())


def ask(browser, photo: Path, text: str) -> str:
    browser.find_element(By.CSS_SELECTOR, "input[type=file]").send_keys(str(photo))
    browser.find_element(By.NAME, "text").send_keys(text)
    browser.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
    done = "#answer:not([aria-busy]) .words"
    wait(browser, lambda: browser.find_elements(By.CSS_SELECTOR, done))
    return browser.find_element(By.ID, "answer").text


def test_a_product_is_answered_and_explained(page, shop):
    row = pd.read_csv(shop, keep_default_na=False).iloc[0]
    told = ask(page, shop.parent / row["picture"], row["title"])
    label, sure = told.splitlines()[:2]
    assert label == f"{row['department']} › {row['category']}"
    assert float(re.fullmatch(r"([\d.]+) % sure", sure)[1]) > 33
    marks = [of.text for of in page.find_elements(By.TAG_NAME, "mark")]
    assert marks == row["title"].split()
    assert page.find_elements(By.CLASS_NAME, "decisive")
    painted = "const c = document.querySelector('canvas'); return c.width > 0 && c.getContext('2d')"
    painted += ".getImageData(0, 0, c.width, c.height).data.some(value => value > 0)"
    assert page.execute_script(painted)
    assert [line for line in page.get_log("browser") if line["level"] == "SEVERE"] == []


def test_a_text_file_called_jpg_is_told_of_and_the_words_still_count(page, shop, tmp_path):
    photo = tmp_path / "photo.jpg"
    photo.write_text("This is no photo.")
    row = pd.read_csv(shop, keep_default_na=False).iloc[0]
    told = ask(page, photo, row["title"])
    problem = page.find_element(By.CSS_SELECTOR, "[role=alert]").text
    assert "not a picture that can be decoded" in problem
    assert f"{row['department']} › {row['category']}" in told
