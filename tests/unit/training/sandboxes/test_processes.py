"""Reading the process table and ending what is found there."""

import os
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from trustplane.training.sandboxes import processes
from trustplane.training.sandboxes.processes import Process

NUMBERS = st.integers(0, 2**31)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), NUMBERS, NUMBERS, st.sampled_from("RSDZT"))
def test_no_command_name_can_forge_a_field(name: str, pid: int, parent: int, state: str) -> None:
    rest = " ".join(str(number) for number in range(5, 53))
    found = processes.parse_stat(f"{pid} ({name}) {state} {parent} {rest}\n")
    assert (found.pid, found.parent, found.state) == (pid, parent, state)
    assert (found.session, found.threads, found.started) == (6, 20, 22)


def test_this_process_reads_itself() -> None:
    own = processes.process_table()[os.getpid()]
    assert own.parent == os.getppid()
    assert own.session == os.getsid(0)
    assert own.resident_bytes > 1 << 20
    assert processes.proportional_memory([own]) <= own.resident_bytes * 1.2


def process(pid: int, parent: int) -> Process:
    return Process(pid, parent, session=1, state="S", threads=1, cpu_seconds=0, started=0, resident_bytes=0)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30))
def test_descendants_are_those_whose_line_of_parents_meets_the_root(parents: list[int]) -> None:
    table = {pid: process(pid, parent) for pid, parent in enumerate(parents, start=1)}

    def descends(pid: int) -> bool:
        seen = set()
        while pid in table and pid not in seen:
            seen.add(pid)
            pid = table[pid].parent
            if pid == 1:
                return True
        return False

    found = {one.pid for one in processes.descendants(1, table)}
    assert found == {pid for pid in table if pid != 1 and descends(pid)}


def test_a_whole_session_is_ended_and_nothing_else() -> None:
    script = "import os, time\nfor _ in range(3): os.fork()\nprint('.', flush=True)\ntime.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, start_new_session=True) as leader:
        assert leader.stdout is not None
        with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as bystander:
            for _ in range(8):
                leader.stdout.readline()
            assert len(processes.session_members(leader.pid, processes.process_table())) == 8
            left = processes.end_all(lambda table: processes.session_members(leader.pid, table), 10)
            assert left == ()
            assert bystander.poll() is None
            bystander.kill()


def test_a_process_number_that_went_to_another_process_is_spared() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as other:
        stale = Process(other.pid, os.getpid(), 1, "S", 1, 0.0, started=1, resident_bytes=0)
        assert processes.end_all(lambda table: (stale,) if other.pid in table else (), 0.05) == (other.pid,)
        assert other.poll() is None
        other.kill()


def test_ended_children_are_reaped_with_their_status() -> None:
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", "raise SystemExit(7)"], os.environ)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert os.waitstatus_to_exitcode(processes.reap()[child]) == 7
    assert not Path(f"/proc/{child}").exists()
