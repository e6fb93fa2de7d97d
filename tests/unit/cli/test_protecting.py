"""``trustplane budget``, ``statistic`` and ``contract``, recipes, and tokens turned back."""

import json

import pytest

PURPOSE = "dpv:CustomerSolvencyMonitoring"
ROWS = "customer_id,age,sex\n" + "".join(f"C{n:05d},{18 + n % 60},{'fm'[n % 2]}\n" for n in range(300))


@pytest.fixture
def ages(call, steward, tmp_path):
    """A project with a data steward ``kim``, a table and a view of it."""
    (tmp_path / "clients.csv").write_text(ROWS)
    said = ("--purpose", PURPOSE, "--basis", "A6-1-b", "--source", "x")
    assert call("-u", "kim", "dataset", "ingest", "clients", tmp_path / "clients.csv", *said).code == 0
    made = call("-u", "kim", "view", "create", "ages", "--dataset", "clients", "--column", "age", "--column", "sex", "--purpose", PURPOSE)  # fmt: skip
    assert made.code == 0, made.err


def test_a_budget_and_what_it_pays_for(call, ages):
    none = call("-u", "kim", "budget", "show", "clients")
    assert "no privacy budget" in none.out
    assert call("-u", "kim", "statistic", "count", "ages", "--epsilon", "1").code == 1
    given = call("-u", "kim", "budget", "set", "clients", "--epsilon", "6", "--purpose", PURPOSE)
    assert given.code == 0, given.err
    assert "6 left" in given.out
    told = call("-u", "kim", "statistic", "count", "ages", "--epsilon", "2")
    assert told.code == 0, told.err
    assert "cost: epsilon 2; 4 of 6 left" in told.out
    bounds = ("--lower", "18", "--upper", "100")
    for kind in ("sum", "mean", "quantile"):
        said = call("-u", "kim", "--json", "statistic", kind, "ages", "age", "--epsilon", "1", *bounds)
        assert said.code == 0, said.err
        assert isinstance(json.loads(said.out)["answer"]["value"], float)
    bins = call("-u", "kim", "statistic", "histogram", "ages", "sex", "--epsilon", "1", "--category", "f", "--category", "m")  # fmt: skip
    assert bins.code == 0, bins.err
    assert "other" in bins.out
    beyond = call("-u", "kim", "statistic", "count", "ages", "--epsilon", "1")
    assert beyond.code == 1
    assert "TP-DATA-112" in beyond.err
    shown = call("-u", "kim", "budget", "show", "clients")
    assert "histogram" in shown.out
    assert json.loads(call("-u", "kim", "--json", "budget", "show", "clients").out)["items"][0]["left"] == "0"


def test_a_recipe_of_steps_and_a_token_turned_back(call, ages, tmp_path):
    (tmp_path / "recipe.toml").write_text('keep = ["age"]\n[[steps]]\ncolumn = "customer_id"\ndo = "token"\n')
    assert call("-u", "kim", "view", "create", "raw", "--dataset", "clients", "--column", "customer_id", "--column", "age", "--purpose", PURPOSE).code == 0  # fmt: skip
    made = call("-u", "kim", "view", "protect", "raw", tmp_path / "recipe.toml", "--into", "tokens")
    assert made.code == 0, made.err
    assert "token" in made.out
    assert "customer_id" in made.out
    assert call("-u", "kim", "view", "create", "sealed", "--dataset", "tokens", "--column", "customer_id", "--purpose", PURPOSE).code == 0  # fmt: skip
    [row] = json.loads(call("-u", "kim", "--json", "view", "head", "sealed", "--rows", "1").out)["items"]
    told = call("-u", "kim", "dataset", "reveal", "tokens", "customer_id", row["customer_id"], "--reason", "a claim")
    assert (told.code, told.out.strip()) == (0, "C00000"), told.err
    wrong = call("-u", "kim", "dataset", "reveal", "tokens", "customer_id", "tk_x", "--reason", "a claim")
    assert wrong.code != 0
    assert "TP-DATA-134" in wrong.err


def test_a_contract_puts_a_version_in_quarantine(call, ages, tmp_path):
    drafted = call("-u", "kim", "contract", "draft", "clients")
    assert drafted.code == 0, drafted.err
    (tmp_path / "clients.toml").write_text(drafted.out)
    assert call("-u", "kim", "contract", "set", "clients", tmp_path / "clients.toml").code == 0
    (tmp_path / "bad.csv").write_text("customer_id,age,sex\nC1,999,f\n")
    made = call("-u", "kim", "dataset", "ingest", "clients", tmp_path / "bad.csv")
    assert made.code == 1
    assert "in quarantine" in made.out
    assert "at_most 77" in made.out
    assert "version 2" in call("-u", "kim", "contract", "show", "clients").out
    assert "at_most 77" in call("-u", "kim", "contract", "report", "clients", "2").out
    differ = call("-u", "kim", "dataset", "diff", "clients", "1", "2", "--key", "customer_id")
    assert differ.code == 0, differ.err
    assert "0 the same, 1 added, 300 gone, 0 changed" in differ.out
    assert call("-u", "kim", "dataset", "release", "clients", "2", "--reason", "it is right").code == 0
    assert "let out: it is right" in call("-u", "kim", "contract", "report", "clients", "2").out
    assert "keeps the contract" in call("-u", "kim", "contract", "report", "clients", "1").out


def test_a_view_masks_samples_and_sums(call, ages):
    said = ("--dataset", "clients", "--purpose", PURPOSE)
    shown = ("--column", "customer_id", "--column", "age")
    made = call("-u", "kim", "view", "create", "calls", *said, *shown, "--mask", "customer_id:2", "--sample", "5")
    assert made.code == 0, made.err
    assert "plaintext" not in made.err
    assert len(json.loads(call("-u", "kim", "--json", "view", "head", "calls").out)["items"]) == 5
    assert call("-u", "kim", "view", "create", "sums", *said, *shown, "--groups", "5").code == 0
    refused = call("-u", "kim", "view", "head", "sums")
    assert refused.code != 0
    assert "TP-DATA-043" in refused.err
    told = call("-u", "kim", "view", "query", "SELECT age, count(*) AS n FROM sums GROUP BY age ORDER BY age LIMIT 1")
    assert told.code == 0, told.err
    wrong = call("-u", "kim", "view", "create", "x", *said, *shown, "--mask", "sex")
    assert "TP-DATA-044" in wrong.err


def test_a_view_is_asked_for_and_decided_on(call, ages):
    assert call("-u", "ada", "user", "create", "sam", "--password", TRUSTPLANE_NEW_PASSWORD="correct-horse").code == 0
    assert call("-u", "ada", "-p", "credit", "user", "grant", "sam", "scientist").code == 0
    assert call("login", "sam", TRUSTPLANE_PASSWORD="correct-horse").code == 0
    assert "nobody asked" in call("-u", "sam", "view", "requests").out
    wish = ("--dataset", "clients", "--purpose", PURPOSE, "--column", "age", "--reason", "a chart")
    for name, decide in (("one", ("grant",)), ("two", ("refuse", "--answer", "not needed"))):
        asked = call("-u", "sam", "--json", "view", "ask", name, *wish)
        assert asked.code == 0, asked.err
        decided = call("-u", "kim", "view", decide[0], json.loads(asked.out)["id"], *decide[1:])
        assert decided.code == 0, decided.err
    shown = call("-u", "sam", "view", "requests").out
    assert "granted" in shown
    assert "not needed" in shown
    assert call("-u", "sam", "view", "head", "one").code == 0
