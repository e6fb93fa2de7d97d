"""Starting the application: a served one does what the calendar asks for, an embedded one leaves that to it."""

from datetime import timedelta

from trustplane.api.app import create_app
from trustplane.client.transport import EmbeddedTransport
from trustplane.kernel.plane import Plane
from trustplane.values.clock import FixedClock, SystemClock


def started(plane):
    return [job.id for job in plane.jobs.list(50)]


def test_what_fell_due_while_nothing_ran_is_started_when_it_is_served(workspace, monkeypatch):
    monkeypatch.setenv("TRUSTPLANE_DATABASE_URL", workspace.database_url)
    yesterday = FixedClock(SystemClock().now() - timedelta(days=1))
    with Plane(workspace, yesterday) as plane:
        # The deployment is none, so the job ends at once; that it is started is what is asked here.
        plane.jobs.schedule("hourly", "0 * * * *", "monitor.scheduled", {"deployment": "none"})
    for executes, jobs in ((False, 0), (True, 1)):
        application = create_app(workspace.folder, executes=executes)
        transport = EmbeddedTransport(application)
        try:
            found = started(application.state.plane)
            assert len(found) == jobs
            assert all(application.state.plane.jobs.wait(job, 60).state.final for job in found)
        finally:
            transport.close()
