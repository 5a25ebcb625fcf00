# mypy: ignore-errors
"""Make the files beside this one: a data directory and settings as version 0.1.0 left them.

Run with the code of version 0.1.0, whose tests and sandbox it uses, in the current directory:

    git worktree add ../old 63c35b3 && cd ../old && PYTHONPATH=. python <path>/tests/data_0_1_0/generate.py

Databases are written as SQL text. Everything else is copied, but for locks, logs and the cache of Plex's library.
"""

import json
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from tests.house import House, wait

from sandbox.library import generate
from sandbox.stash import png
from tests.plugin.test_operations import ask
from tests.plugin.test_preview import cover

HERE = Path(__file__).resolve().parent
SCENES = 24
KEPT = (
    *("sync_timestamps.json", "reconciliation_state.json", "drainer.json", "discretion.json", "older.json"),
    "client_id",
)
SETTINGS = {
    "path_map": "/mnt/elsewhere => /data/elsewhere",
    "plex_library": "Scenes",
    "max_tags": "50",
    "strict_matching": True,
    "obfuscate_paths": True,
    "enabled": False,
}


def main() -> None:
    """Let version 0.1.0 do one thing of each kind, then keep what it left."""
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder), generate(1, SCENES), python=sys.executable)
        written, other, chosen, restored, doubtful, unscanned, waiting = house.with_file(7)
        paths = {scene: house.library.scenes[scene - 1].files[0].path for scene in (chosen, doubtful, unscanned)}
        house.start(in_plex=lambda path: path not in paths.values())
        try:
            roles = work(house, written, other, chosen, restored, doubtful, unscanned, waiting)
            keep(house, roles)
        finally:
            house.stop()


def work(house, written, other, chosen, restored, doubtful, unscanned, waiting) -> dict[str, int]:
    """Return the scene that each kind of thing was done with, and the rating keys that belong to them."""
    name = Path(house.scene(doubtful)["files"][0]["path"]).name
    for number in (1, 2):
        house.plex.add_item(house.section, [(f"/data/copies {number}/{name}", 10 + number, 5.0)])
    elsewhere = house.plex.add_item(house.section, [("/data/elsewhere/another name.mp4", 77, 5.0)])
    house.configure(**{**SETTINGS, "enabled": True})
    cover(house, written, png())
    for scene, title in ((written, "Written"), (other, "Written too"), (restored, "Given back later")):
        house.save(scene, title=title, details=f"Details of scene {scene}", rating100=80)
        house.shows(scene, title=title)
    ask(house, "bind", scene=chosen, rating_key=elsewhere.rating_key)
    house.save(chosen, title="Chosen by hand", details="Its file has another name in Plex")
    wait(lambda: elsewhere.title == "Chosen by hand", 30, "the chosen item")
    house.save(doubtful, title="Which of the two", details="Two copies")
    wait(lambda: ask(house, "status")["needs_you"] == 1, 30, "the dead letter")
    house.quiet()
    house.task("Reconcile Library (All)")
    settled(house)
    house.task("Give Back to Plex", scenes=[restored], confirm="true")
    settled(house)
    house.save(unscanned, title="Waits for its file", details="Plex has not scanned it")
    settled(house)
    house.configure(**SETTINGS)
    house.save(waiting, title="Saved while paused", details="Still to be written")
    house.paused()
    house.end_drainer()
    return {
        "written": written,
        "written_too": other,
        "chosen": chosen,
        "chosen_item": elsewhere.rating_key,
        "restored": restored,
        "doubtful": doubtful,
        "unscanned": unscanned,
        "waiting": waiting,
    }


def settled(house) -> None:
    """Wait until every job that is left waits for its file."""

    def is_settled() -> bool:
        with closing(sqlite3.connect(house.data / "queue" / "data.db")) as db:
            jobs = [json.loads(row[0]) for row in db.execute("SELECT CAST(data AS TEXT) FROM ack_queue_default")]
        return all(job.get("awaits_file") for job in jobs)

    wait(is_settled, 60, "the queue to settle")


def keep(house, roles: dict[str, int]) -> None:
    """Write the data directory, the settings as Stash stores them, and what the status said."""
    target = HERE / "data"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for name in KEPT:
        if (house.data / name).exists():
            shutil.copyfile(house.data / name, target / name)
    for name, file in (("state", "state.db"), ("queue", "queue/data.db")):
        with closing(sqlite3.connect(house.data / file)) as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            dump = "\n".join(db.iterdump())
        (target / f"{name}.sql").write_text(f"{dump}\nPRAGMA user_version={version};\n", encoding="utf-8")
    house.task("View Queue Status")
    status = house.stash.processes[-1].output
    stored = house.stash.gql("{ configuration { plugins } }")["configuration"]["plugins"]["Stash2Plex"]
    del stored["plex_url"], stored["plex_token"]
    facts = {
        "scenes": SCENES,
        "roles": roles,
        "settings": stored,
        "status": {name: status[name] for name in ("queue", "verdicts")},
        "dead_letters": {name: status["dead_letters"][name] for name in ("count", "by_type")},
        "timestamps": len(json.loads((target / "sync_timestamps.json").read_text())),
    }
    (HERE / "facts.json").write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
