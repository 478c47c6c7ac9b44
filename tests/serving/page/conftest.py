import os
import shutil

import pytest


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium of a phone's width."""
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        if os.environ.get("TAXOFUSE_BROWSER") == "required":
            pytest.fail("Chromium is missing: apt-get install chromium chromium-driver.")
        pytest.skip("needs Chromium: apt-get install chromium chromium-driver")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    phone = {"width": 360, "height": 800, "deviceScaleFactor": 2, "mobile": True}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    yield driver
    driver.quit()
