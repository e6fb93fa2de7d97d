"""The nouns at work on a founded workspace, in this process."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from trustplane.kernel.store.schema import HEAD

TOOL = Path(__file__).parents[3] / "tools" / "verify_log.py"
ROWS = "customer_id,email,age,amount\n" + "".join(
    f"C{n:05d},p{n}@mail.example,{18 + n % 60},{n * 7 % 1000}.5\n" for n in range(300)
)


@pytest.fixture
def credit(call, home, tmp_path):
    """A project with a data steward ``kim``, a scientist ``sam``, and a table."""
    call("project", "create", "credit")
    for name, role in (("kim", "data-steward"), ("sam", "scientist")):
        password = f"correct-horse-{name}"
        assert call("-u", "ada", "user", "create", name, "--password", TRUSTPLANE_NEW_PASSWORD=password).code == 0
        assert call("-u", "ada", "-p", "credit", "user", "grant", name, role).code == 0
        assert call("login", name, TRUSTPLANE_PASSWORD=password).code == 0
    (tmp_path / "clients.csv").write_text(ROWS)
    return tmp_path


INGEST = ("--purpose", "dpv:CustomerSolvencyMonitoring", "--basis", "A6-1-b", "--source", "the tests")


def test_from_a_file_to_rows(call, credit):
    done = call("-u", "kim", "dataset", "ingest", "clients", credit / "clients.csv", *INGEST)
    assert done.code == 0, done.err
    shown = json.loads(call("-u", "kim", "--json", "dataset", "show", "clients").out)
    classes = {c["name"]: c["class"] for c in shown["columns"]}
    assert classes["email"] == "identifier"
    assert call("-u", "kim", "dataset", "confirm", "clients", "--class", "amount:open").code == 0
    made = call(
        "-u", "kim", "view", "create", "training", "--dataset", "clients", "--purpose", "dpv:CustomerSolvencyMonitoring",
        "--without", "identifier", "--pseudonym", "customer_id", "--filter", "age >= 70",
    )  # fmt: skip
    assert made.code == 0, made.err
    head = call("-u", "sam", "view", "head", "training", "--rows", "2")
    assert head.code == 0, head.err
    assert "ps_" in head.out
    assert "mail.example" not in head.out + head.err
    assert call("-u", "sam", "view", "export", "training", credit / "rows.csv").code == 0
    rows = sum(18 + n % 60 >= 70 for n in range(300))
    assert (credit / "rows.csv").read_text().count("\n") == 1 + rows
    assert stat.S_IMODE((credit / "rows.csv").stat().st_mode) == 0o600
    for ending in ("parquet", "arrow"):
        done = call("-u", "sam", "--json", "view", "export", "training", credit / f"rows.{ending}")
        assert json.loads(done.out)["rows"] == rows
    assert call("-u", "sam", "view", "export", "training", credit / "rows.xlsx").err.startswith("TP-CLIENT-008")
    assert call("-u", "ada", "view", "head", "training").code == 4
    assert call("-u", "kim", "view", "revoke", "training").code == 0
    assert call("-u", "sam", "view", "head", "training").code in {1, 4}


def test_rows_come_from_the_standard_input_and_are_appended(call, credit):
    call("-u", "kim", "dataset", "ingest", "clients", credit / "clients.csv", *INGEST)
    row = json.dumps({"customer_id": "C90000", "email": "l@mail.example", "age": 41, "amount": 2.5})
    done = call("-u", "kim", "dataset", "ingest", "clients", "-", "--format", "jsonl", "--append", stdin=row)
    assert (done.code, "appended the standard input as version 2" in done.out) == (0, True), done.err
    shown = json.loads(call("-u", "kim", "--json", "dataset", "show", "clients").out)
    assert shown["rows"] == 301
    refused = call("-u", "kim", "dataset", "ingest", "clients", "-", stdin=row)
    assert (refused.code, "--format" in refused.err) == (2, True)


def test_without_takes_classes_and_columns_and_refuses_other_words(call, credit):
    call("-u", "kim", "dataset", "ingest", "clients", credit / "clients.csv", *INGEST)
    view = ("view", "create", "v", "--dataset", "clients", "--purpose", "dpv:CustomerSolvencyMonitoring")
    done = call("-u", "kim", *view, "--without", "emial")
    assert done.code == 2
    assert "'email'" in done.err
    done = call("-u", "kim", "--json", *view, "--without", "email,quasi-identifier")
    assert json.loads(done.out)["columns"] == ["customer_id", "amount"]
    assert "customer_id" in done.err


def test_names_nearly_right_are_told(call, credit):
    call("-u", "kim", "dataset", "ingest", "clients", credit / "clients.csv", *INGEST)
    assert "did you mean 'clients'" in call("-u", "kim", "dataset", "show", "client").err
    assert "did you mean 'credit'" in call("-u", "kim", "-p", "credits", "dataset", "list").err


def test_a_ragged_file_names_its_line(call, credit):
    (credit / "ragged.csv").write_text("a,b\n1,2\n3\n")
    done = call("-u", "kim", "dataset", "ingest", "ragged", credit / "ragged.csv", *INGEST)
    assert done.code == 2
    assert "line 3" in done.err
    done = call("-u", "kim", "dataset", "ingest", "none", credit / "none.csv", *INGEST)
    assert (done.code, done.err.split()[0]) == (2, "TP-CLIENT-005")


def test_a_token_is_shown_once_and_kept_nowhere(call, home):
    done = call("token", "issue", "ada", "--label", "ci", "--days", "1", "--scope", "ledger.*", "--json")
    issued = json.loads(done.out)
    secret = issued["token"]
    assert secret.startswith("tp_")
    assert secret not in call("token", "list", "ada", "--json").out
    for path in home.rglob("*"):
        if path.is_file() and path.name != "credentials.json":
            assert secret.encode() not in path.read_bytes(), path
    scoped = call("whoami", TRUSTPLANE_TOKEN=secret)
    assert scoped.code == 0
    assert call("project", "create", "x", TRUSTPLANE_TOKEN=secret).code == 4
    assert call("token", "revoke", issued["id"]).code == 0
    refused = call("whoami", TRUSTPLANE_TOKEN=secret)
    assert refused.code != 0
    assert secret not in refused.err


def test_passwords_come_from_the_environment_and_show_nowhere(call, home):
    password = "a-secret-password"
    done = call("user", "create", "bo", "--password", TRUSTPLANE_NEW_PASSWORD=password)
    again = call("login", "bo", TRUSTPLANE_PASSWORD="wrong-password")
    right = call("login", "bo", TRUSTPLANE_PASSWORD=password)
    assert (done.code, again.code != 0, right.code) == (0, True, 0)
    assert password not in done.out + done.err + again.err + right.out + right.err
    assert stat.S_IMODE((home / "credentials.json").stat().st_mode) == 0o600
    assert call("logout").code == 0
    assert call("-u", "bo", "whoami").code != 0


def test_the_ledger_is_listed_shown_proved_verified_and_exported(call, home, tmp_path):
    call("project", "create", "credit")
    listed = json.loads(call("ledger", "list", "--action", "project.create", "--json").out)["items"]
    event = listed[0]["id"]
    assert call("ledger", "show", event).out.count(event) >= 1
    assert call("ledger", "prove", event, "--out", tmp_path / "receipt").code == 0
    (tmp_path / "log.vkey").write_text(call("ledger", "vkey").out)
    assert call("ledger", "verify").code == 0
    assert call("ledger", "export", tmp_path / "export").code == 0
    for arguments in ([tmp_path / "export"], ["--receipt", tmp_path / "receipt"]):
        done = subprocess.run(
            [sys.executable, TOOL, *arguments, "--vkey", tmp_path / "log.vkey"], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    unknown = call("ledger", "show", "01a20a8c-0000-7000-8000-000000000000")
    assert unknown.err.startswith("TP-LEDGER-023")


def test_a_changed_event_fails_verification(call, home, monkeypatch):
    from sqlalchemy import text

    from trustplane.kernel.settings import Settings, read_workspace
    from trustplane.kernel.store.engine import Database

    call("project", "create", "credit")
    database = Database(read_workspace(home, Settings()).database_url)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE projects SET description = 'changed beside the door'"))
    database.close()
    done = call("ledger", "verify", "--json")
    assert done.code == 1
    assert [d["kind"] for d in json.loads(done.out)["discrepancies"]] == ["state-changed"]


def test_keys_are_listed_turned_and_destroyed(call, home):
    call("project", "create", "credit")
    [key] = json.loads(call("--json", "-p", "credit", "key", "list").out)["items"]
    assert call("key", "rotate").code == 0
    done = call("key", "destroy", key["id"], "--reason", "a test", "--yes", "--json")
    assert done.code == 0
    assert json.loads(done.out)["reason"] == "a test"
    again = call("key", "destroy", key["id"], "--reason", "a test", "--yes")
    assert (again.code, again.err.split()[0]) == (1, "TP-VAULT-018")
    assert call("key", "destroy", key["id"], "--reason", "a test", stdin="no\n").code != 0


def test_policy_explains_with_the_only_project(call, credit):
    done = call("-u", "ada", "policy", "explain", "sam", "dataset.ingest")
    assert done.code == 4
    assert "data-steward" in done.out
    assert call("-u", "ada", "policy", "explain", "kim", "dataset.ingest").code == 0
    done = call("-u", "ada", "--json", "policy", "explain", "kim", "view.create")
    assert json.loads(done.out)["decision"] == "allow"
    assert "the purpose is one of the dataset's" in json.loads(done.out)["assumed"]
    assert call("-u", "ada", "policy", "explain", "kim", "dataset.ingets").err.count("dataset.ingest") == 1


def test_doctor_looks_at_everything(call, home):
    checks = {c["name"]: c["status"] for c in json.loads(call("doctor", "--json").out)["checks"]}
    assert {"database", "keys", "objects", "ledger", "jobs", "policy", "sandbox sandlock"} <= set(checks)
    assert {name for name, status in checks.items() if status != "ok"} == {"sandbox unsafe-none"}


def test_init_makes_a_private_workspace_once(call, tmp_path):
    done = call("init", tmp_path / "new", "--owner", "ada", "--json")
    assert done.code == 0, done.err
    assert "tp_" not in done.out + done.err
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    again = call("init", tmp_path / "new", "--owner", "ada")
    assert (again.code, again.err.split()[0]) == (1, "TP-PLANE-006")
    assert call("init", tmp_path / "other", "--owner", "Not A Name").code == 2
    assert not (tmp_path / "other" / "trustplane.toml").exists()
    assert f"before: {HEAD}" in call("init", "--upgrade", tmp_path / "new").out


def test_predict_reads_csv_by_name(tmp_path):
    from trustplane.cli.context import Usage
    from trustplane.cli.predict import _from_csv, _from_json

    (tmp_path / "rows.csv").write_text("b,other,a\n1,x,2\n3,y,4\n5,z,6\n")
    assert _from_csv(tmp_path / "rows.csv", ["a", "b"], 2) == [[2.0, 1.0], [4.0, 3.0]]
    for content, features in (
        ("b,aa\n1,2\n", ["a"]),
        ("a\nsecret-value\n", ["a"]),
        ("a,b\n1\n", ["a", "b"]),
        ("", ["a"]),
    ):
        (tmp_path / "rows.csv").write_text(content)
        with pytest.raises(Usage) as told:
            _from_csv(tmp_path / "rows.csv", features, 10)
        assert "secret-value" not in str(told.value)
    for text in ("", "{}", "5", "[1, 2]", "[" * 100_000, '[["a"], 3]'):
        with pytest.raises(Usage):
            _from_json(text)


def test_a_datasheet_is_written_and_completed(call, credit):
    assert call("-u", "kim", "dataset", "ingest", "clients", credit / "clients.csv", *INGEST).code == 0
    shown = call("-u", "kim", "dataset", "datasheet", "clients", "--questions")
    assert "How were the data collected?" in shown.out
    (credit / "parts.toml").write_text('biases = "nobody under 18"\n')
    told = call(
        "-u", "kim", "dataset", "describe", "clients", "--from", credit / "parts.toml", "--part", "license=internal"
    )
    assert told.code == 0, told.err
    assert "2 parts" in told.out
    assert call("-u", "kim", "dataset", "datasheet", "clients", "-o", credit / "sheet.json").code == 0
    sheet = json.loads((credit / "sheet.json").read_text())
    assert (sheet["license"], sheet["rai:dataBiases"]) == ("internal", "nobody under 18")
    assert call("-u", "kim", "dataset", "describe", "clients").code == 2
    assert call("-u", "kim", "dataset", "describe", "clients", "--part", "nothing").code == 2
    assert "TP-DATA-079" in call("-u", "kim", "dataset", "describe", "clients", "--part", "bias=x").err
    (credit / "bad.toml").write_text("biases = 7")
    assert call("-u", "kim", "dataset", "describe", "clients", "--from", credit / "bad.toml").code == 2


def test_a_view_is_asked_in_sql(call, credit):
    assert call("-u", "kim", "dataset", "ingest", "clients", credit / "clients.csv", *INGEST).code == 0
    made = ("view", "create", "ages", "--dataset", "clients", "--purpose", "dpv:CustomerSolvencyMonitoring")
    assert call("-u", "kim", *made, "--without", "identifier").code == 0
    done = call("-u", "sam", "--json", "view", "query", "SELECT count(*) AS n FROM ages WHERE age >= 70")
    assert done.code == 0, done.err
    assert json.loads(done.out)["items"] == [{"n": sum(18 + n % 60 >= 70 for n in range(300))}]
    shown = call("-u", "sam", "view", "query", "-", "--rows", "2", stdin="SELECT DISTINCT age FROM ages ORDER BY 1")
    assert "the first 2 of 60 rows" in shown.out
    refused = call("-u", "sam", "view", "query", "SET threads = 1")
    assert refused.code == 2
    assert "TP-DATA-080" in refused.err


def test_a_view_is_protected(call, credit):
    assert call("-u", "kim", "dataset", "ingest", "clients", credit / "clients.csv", *INGEST).code == 0
    made = ("view", "create", "ages", "--dataset", "clients", "--purpose", "dpv:CustomerSolvencyMonitoring")
    assert call("-u", "kim", *made, "--without", "identifier").code == 0
    (credit / "recipe.toml").write_text('quasi_identifiers = ["age"]\nk = 10\nkeep = ["amount"]\n')
    done = call("-u", "kim", "view", "protect", "ages", credit / "recipe.toml", "--into", "safer")
    assert done.code == 0, done.err
    assert "k = 10" in done.out
    assert "prosecutor highest" in done.out
    assert call("-u", "sam", "view", "protect", "ages", credit / "recipe.toml", "--into", "mine").code == 4
    (credit / "recipe.toml").write_text("k = 10")
    assert "TP-DATA-060" in call("-u", "kim", "view", "protect", "ages", credit / "recipe.toml", "--into", "x").err


@pytest.mark.parametrize("text", ["", "{", "3", "[[1, 2]]"])
def test_a_row_to_explain_names_its_features(call, home, tmp_path, text) -> None:
    file = tmp_path / "row.json"
    file.write_text(text)
    done = call("-p", "credit", "model", "reasons", "risk", "--row", file)
    assert done.code == 2
    assert "JSON" in done.err or "by its name" in done.err
