"""The console in a real browser: every page of the demo's workspace, under its strict policy, with and without the right to look."""

import json
import re
import shutil

import httpx
import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium (Debian: the package chromium)"),
]
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """A page that fails the test for anything that the browser complains of."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    troubles = []
    opened.on(
        "console", lambda message: troubles.append(message.text) if message.type in {"error", "warning"} else None
    )
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("requestfailed", lambda request: troubles.append(f"{request.url} failed"))
    yield opened
    context.close()
    assert troubles == []


def log_in(page, served, name):
    """Log in by the form."""
    url, password = served
    page.goto(f"{url}/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


@pytest.fixture
def inside(page, served):
    """A page that is logged in as the owner."""
    log_in(page, served, "owner")
    page.get_by_role("heading", name="Posture").wait_for()
    return page


def told_on(inside, name):
    """The text of a page of the demo's project."""
    inside.get_by_role("link", name="credit").first.click()
    inside.get_by_role("link", name=name).click()
    return inside.locator("main").inner_text()


def test_a_request_shows_its_clock_what_was_erased_and_what_is_to_be_decided(inside):
    inside.get_by_role("link", name="credit").first.click()
    inside.get_by_role("link", name="Requests of data subjects").click()
    inside.get_by_role("heading", name="Requests of data subjects").wait_for()
    inside.locator("tbody a").first.click()
    text = inside.locator("main").inner_text()
    assert "passport shown at the counter" in text
    assert "not decided" in text
    assert "C0000007" not in inside.content()
    inside.get_by_role("link", name="default-risk version 1").click()
    inside.get_by_role("heading", name="default-risk").first.wait_for()


def test_retention_tells_until_when_each_version_is_kept(inside):
    text = told_on(inside, "Retention")
    assert "in time" in text
    assert "clients" in text


def test_a_protected_table_shows_its_risk_before_and_after(inside):
    text = told_on(inside, "Protected tables")
    assert "clients-k10, version 1" in text
    assert "k = 10" in text
    risk = inside.get_by_role("row", name="rows that stand alone")
    assert float(risk.get_by_role("cell").nth(1).inner_text().split()[0]) > 0
    assert risk.get_by_role("cell").nth(3).inner_text() == "0.00 %"


def test_the_report_of_a_protection_shows_its_plots(inside, served):
    told_on(inside, "Protected tables")
    inside.get_by_role("link", name="with plots").first.click()
    inside.get_by_role("heading", name="Protection of clients-k10").wait_for()
    assert inside.get_by_role("img", name="Risk of re-identification before and after").is_visible()
    assert "Attacks that were tried" in inside.locator("main").inner_text()
    url, _ = served
    answer = inside.request.get(url + inside.get_by_role("link", name="As a file").get_attribute("href"))
    assert answer.headers["content-disposition"] == 'attachment; filename="clients-k10-1-protection.html"'
    assert "c2sp.org/tlog-proof@v1" in answer.text()


def test_a_budget_shows_what_was_told_at_its_cost(inside):
    text = told_on(inside, "Privacy budgets")
    assert "Epsilon 0.5 of 2 is spent, 1.5 is left." in text
    assert "mean\tAGE\t0.5\tdata-steward" in text


def test_scans_tell_what_was_found_in_an_artifact(inside):
    text = told_on(inside, "Scans")
    assert "model.onnx" in text
    assert "nothing" in text


def test_a_threat_model_tells_what_it_says_what_changed_and_what_withstood(inside):
    listed = told_on(inside, "Threat models")
    assert "what a client can pay otherwise" in listed
    inside.get_by_role("link", name="payments 2").click()
    inside.get_by_role("heading", name="payments, version 2").wait_for()
    text = inside.locator("main").inner_text()
    assert "The attacker sees the model's scores." in text
    assert "PAY_AMT1 <= LIMIT_BAL * 100" in text
    assert "budget\tcost\t2\t3\tmore" in text
    assert re.search(r"default-risk 1\tdone\t. (passes|fails|no evidence)\t[\d.]+ % [\d.]+ to [\d.]+ %", text)
    inside.get_by_text("The file").click()
    assert 'direction = "up"' in inside.locator("main").inner_text()
    inside.get_by_role("link", name="with version 1").click()
    inside.get_by_role("heading", name="What differs from version 1").wait_for()
    inside.get_by_role("link", name="Report").first.click()
    assert "payments@2, kept by the project" in inside.locator("body").inner_text()


def test_views_tell_who_may_see_what(inside):
    inside.get_by_role("link", name="credit").first.click()
    inside.get_by_role("link", name="Views", exact=True).click()
    row = inside.get_by_role("row", name="training").first.inner_text()
    assert "open" in row
    assert "(pseudonym)" in row


def test_the_review_of_classes_confirms_what_a_steward_chose(page, served):
    log_in(page, served, "kim")
    page.get_by_role("link", name="credit").first.click()
    page.get_by_role("link", name="clients-k10").first.click()
    page.get_by_role("link", name="Review the classes").click()
    assert "not confirmed" in page.locator("main").inner_text()
    page.get_by_label("Class of AGE").select_option("quasi-identifier")
    page.get_by_label("Class of SEX").select_option("special")
    page.get_by_role("button", name="Confirm the classes").click()
    page.get_by_role("heading", name="Classes of clients-k10, version 2").wait_for()
    text = page.locator("main").inner_text()
    assert "confirmed by kim" in text
    assert page.get_by_label("Class of SEX").input_value() == "special"


def test_who_may_not_classify_sees_no_form(inside):
    inside.get_by_role("link", name="credit").first.click()
    inside.get_by_role("link", name="clients").first.click()
    inside.get_by_role("link", name="Review the classes").click()
    inside.get_by_text("A data steward confirms the classes.").wait_for()
    assert inside.get_by_role("button", name="Confirm the classes").count() == 0


def test_posture_tells_every_control(inside, demo):
    text = inside.locator("main").inner_text()
    counts = json.loads((demo.folder / "report.json").read_text())["counts"]
    assert counts["passed"] > 15
    assert f"{counts['passed']}\n" in text
    assert "passes" in text
    assert "waived" in text
    for control in ("TP-DAT-01", "TP-TRN-01", "TP-ASM-02", "TP-REL-01", "TP-SRV-01", "TP-MON-01", "TP-GOV-01"):
        assert control in text


def test_every_link_leads_somewhere_and_every_page_has_one_heading(inside, served):
    """From posture over every page that links lead to; each is a page with a title and one first heading."""
    url, _ = served
    waiting, looked_at = [f"{url}/console/"], {}
    while waiting and len(looked_at) < 60:
        here = waiting.pop(0).split("#")[0]
        kind = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", here.removeprefix(url)).split("?")[0]
        if sum(k == kind for k in looked_at.values()) >= 3 or here in looked_at:
            continue
        if here.endswith("/receipt"):
            answer = inside.request.get(here)
            assert answer.ok
            assert answer.text().startswith("c2sp.org/tlog-proof@v1\n")
            looked_at[here] = kind
            continue
        if here.endswith(".json"):
            assert isinstance(inside.request.get(here).json(), dict), here
            looked_at[here] = kind
            continue
        if "/protection/file" in here:
            assert "<script" not in inside.request.get(here).text()
            looked_at[here] = kind
            continue
        answer = inside.goto(here)
        assert answer.status == 200, here
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert inside.locator("h1").count() == 1, here
        assert inside.title().endswith("· Trustplane"), here
        assert inside.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{here} scrolls sideways"
        looked_at[here] = kind
        waiting += [
            link
            for link in inside.eval_on_selector_all(
                "a[href]", "all => all.map(a => new URL(a.getAttribute('href'), document.baseURI).href)"
            )
            if link.startswith(f"{url}/console")
        ]
    assert {*looked_at.values()} >= {
        "/console/", "/console/activity", "/console/events/ID", "/console/events/ID/receipt", "/console/projects/ID",
        "/console/datasets/ID", "/console/runs/ID", "/console/models/ID", "/console/deployments/ID",
        "/console/projects/ID/runs", "/console/projects/ID/lineage", "/console/runs/ID/lineage", "/console/runs/ID/lineage.json",
    }  # fmt: skip


def test_from_posture_to_proof_in_three_clicks(inside):
    inside.locator("main a[href*='/console/events/']").first.click()
    inside.get_by_text("is the recorded one: it opens the commitment").wait_for()
    receipt = inside.request.get(
        inside.get_by_role("link", name="Receipt").get_attribute("href") and f"{inside.url}/receipt"
    )
    assert receipt.text().startswith("c2sp.org/tlog-proof@v1\n")


def test_denials_are_shown_with_their_rule(inside):
    inside.get_by_role("link", name="Activity").click()
    inside.get_by_role("link", name="denied").click()
    text = inside.locator("main").inner_text()
    assert "denied" in text
    assert "sod-judge-own-model" in text


def test_it_works_with_the_keyboard_alone(page, served):
    url, password = served
    page.goto(f"{url}/console/login")
    page.locator("#name:focus").wait_for()
    page.keyboard.type("owner")
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Posture").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"


@pytest.mark.parametrize("width", [360, 768, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_screen(inside, width, scheme):
    inside.set_viewport_size({"width": width, "height": 800})
    inside.emulate_media(color_scheme=scheme)
    inside.reload()
    assert inside.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    colours = inside.evaluate("(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))")
    light, dark = (sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours)
    assert (light < dark) == (scheme == "light")


def test_a_wrong_password_says_little(browser, served):
    url, _ = served
    page = browser.new_page()
    page.goto(f"{url}/console/login")
    page.get_by_label("Name").fill("owner")
    page.get_by_label("Password").fill("wrong")
    with page.expect_response("**/console/login") as answer:
        page.get_by_role("button", name="Log in").click()
    assert answer.value.status == 401
    told = page.get_by_role("alert").inner_text()
    page.get_by_label("Name").fill("nobody-of-that-name")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    assert page.get_by_role("alert").inner_text() == told
    page.close()


def test_logging_out_ends_the_session(inside, served):
    url, _ = served
    cookies = inside.context.cookies()
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Strict" for cookie in cookies)
    inside.get_by_role("button", name="Log out").click()
    inside.get_by_label("Password").wait_for()
    old = {cookie["name"]: cookie["value"] for cookie in cookies}
    assert httpx.get(f"{url}/console/", cookies=old).status_code == 303


def test_nothing_is_shown_to_a_stranger(served):
    url, _ = served
    for path in ("/console/", "/console/activity", "/console/projects/x", "/console/events/x", "/console/datasets/x"):
        answer = httpx.get(url + path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/login")


def test_a_form_from_elsewhere_is_refused(served):
    url, password = served
    answer = httpx.post(
        f"{url}/console/login", data={"name": "owner", "password": password}, headers={"Origin": "https://evil.example"}
    )
    assert answer.status_code in {400, 403}
    assert "set-cookie" not in answer.headers
