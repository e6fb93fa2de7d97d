"""``trustplane request`` and ``trustplane retention``."""

import json

import pytest

ROWS = "customer_id,email,age,amount\n" + "".join(
    f"C{n:05d},p{n}@mail.example,{18 + n % 60},{n * 7 % 1000}.5\n" for n in range(60)
)


@pytest.fixture
def credit(call, steward, tmp_path):
    """A project with a data steward ``kim`` and a table."""
    (tmp_path / "clients.csv").write_text(ROWS)
    said = ("--purpose", "dpv:CustomerSolvencyMonitoring", "--basis", "A6-1-b", "--source", "x", "--retention", "30")
    assert call("-u", "kim", "dataset", "ingest", "clients", tmp_path / "clients.csv", *said).code == 0
    return tmp_path


def test_an_erasure_from_the_command_line(call, credit):
    taken = call("-u", "kim", "--json", "request", "open", "erasure", stdin="C00007\nemail=p8@mail.example\n")
    assert taken.code == 0, taken.err
    request = json.loads(taken.out)["id"]
    assert "C00007" not in taken.out
    early = call("-u", "kim", "request", "erase", request)
    assert early.code == 1
    assert "TP-DATA-073" in early.err
    assert call("-u", "kim", "request", "verify", request, "--how", "passport").code == 0
    found = json.loads(call("-u", "kim", "--json", "request", "find", request).out)["items"]
    assert found == [{"kind": "rows", "dataset": "clients", "version": 1, "rows": 2}]
    done = call("-u", "kim", "request", "erase", request)
    assert done.code == 0, done.err
    assert "erased 2 rows from 1 versions" in done.out
    event = done.out.split("ledger prove ")[1].split()[0]
    assert "c2sp.org/tlog-proof@v1" in call("-u", "ada", "ledger", "prove", event).out
    assert call("-u", "kim", "request", "answer", request, "--said", "it is done").code == 0
    shown = call("-u", "kim", "request", "show", request)
    assert "answered" in shown.out
    assert "mail.example" not in shown.out + done.out + done.err
    listed = json.loads(call("-u", "kim", "--json", "request", "list").out)["items"]
    assert [r["state"] for r in listed] == ["answered"]


def test_an_export_and_a_refusal(call, credit):
    (credit / "person").write_text("p3@mail.example\n")
    opened = call("-u", "kim", "--json", "request", "open", "access", "--person", credit / "person")
    request = json.loads(opened.out)["id"]
    assert call("-u", "kim", "request", "verify", request, "--how", "passport").code == 0
    extended = call("-u", "kim", "request", "extend", request, "--ground", "JustificationA12Complexity")
    assert extended.code == 0, extended.err
    assert call("-u", "kim", "request", "export", request, "-o", credit / "held.csv").code == 0
    assert "C00003" in (credit / "held.csv").read_text()
    assert call("-u", "kim", "request", "export", request, "-o", credit / "held.xlsx").code == 2
    wrong = call("-u", "kim", "request", "refuse", request, "--ground", "JustificationA17LegalClaims", "--said", "no")
    assert "TP-DATA-071" in wrong.err
    ground = "JustificationA12ManifestlyExcessive"
    assert (
        call("-u", "kim", "request", "refuse", request, "--ground", ground, "--said", "the tenth this week").code == 0
    )


def test_what_is_wrong_is_told(call, credit):
    assert call("-u", "kim", "request", "open", "access", stdin="\n").code == 2
    assert call("-u", "kim", "request", "open", "access", "--received", "yesterday", stdin="C00001\n").code == 2
    assert "TP-DATA-070" in call("-u", "kim", "request", "open", "deletion", stdin="C00001\n").err
    assert "TP-DATA-074" in call("-u", "kim", "request", "show", "nothing").err
    assert call("-u", "kim", "request", "open", "access", "--person", credit / "none").code != 0


def test_holds_and_retention(call, credit):
    assert call("-u", "kim", "retention", "hold", "clients", "--reason", "a claim").code == 0
    assert "TP-DATA-076" in call("-u", "kim", "retention", "hold", "clients", "--reason", "again").err
    assert call("-u", "kim", "retention", "lift", "clients", "--reason", "settled").code == 0
    assert call("-u", "kim", "retention", "overdue").code == 0
    ran = call("-u", "ada", "-p", "credit", "retention", "run")
    assert ran.code == 0, ran.err
    assert "0 of 0" in ran.out
    assert call("-u", "ada", "-p", "credit", "retention", "schedule").code == 0
