"""The SQL on the queue's table, named. The table is persist-queue's own (libraries A1); the indexes are ours (A5, A6).

Status is the library's: 0 fresh and 1 resumed are both "waiting" (below 2), 2 is in flight, 5 acknowledged, 9 failed.
What a hook needs stands in ``sync_queue.writer``, so that hooks do not load this module.
"""

from sync_queue.writer import ANY_UNDONE as ANY_UNDONE
from sync_queue.writer import DOCUMENT as DOCUMENT
from sync_queue.writer import FOLD as FOLD
from sync_queue.writer import INSERT as INSERT
from sync_queue.writer import KEY as KEY
from sync_queue.writer import LAYOUT as LAYOUT
from sync_queue.writer import PRIORITY as PRIORITY
from sync_queue.writer import TABLE as TABLE
from sync_queue.writer import WAITING_BY_KEY as WAITING_BY_KEY
from sync_queue.writer import WITHDRAW as WITHDRAW

CREATE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} "
    "(_id INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB, timestamp FLOAT, status INTEGER)"
)

# A number whatever stands there: what cannot be read as one is due at once.
DUE = f"CAST(COALESCE(json_extract({DOCUMENT},'$.next_retry_at'),0) AS REAL)"

# An expression index serves only where the query writes the expression in the same way.
INDEXES = (
    f"CREATE INDEX IF NOT EXISTS s2p_head ON {TABLE}(_id) WHERE status < 2",
    f"CREATE INDEX IF NOT EXISTS s2p_key ON {TABLE}({KEY}) WHERE status < 2",
    f"CREATE INDEX IF NOT EXISTS s2p_due ON {TABLE}({PRIORITY},{DUE},_id) WHERE status < 2",
    f"CREATE INDEX IF NOT EXISTS s2p_status ON {TABLE}(status)",
)

JOB_BY_KEY = f"SELECT data FROM {TABLE} WHERE status < 2 AND {KEY} = ? LIMIT 1"
JOBS_IN_FLIGHT = f"SELECT data FROM {TABLE} WHERE status = 2"

# A due time further ahead can only come from a clock that was set back: such a row is due.
MAX_DUE_AHEAD_S = 600.0
DUE_OF_PRIORITY = (
    f"SELECT _id, data FROM {TABLE} WHERE status < 2 AND {PRIORITY} = ? AND {DUE} <= ? ORDER BY {DUE}, _id LIMIT ?"
)
DUE_BY_CLOCK_SET_BACK = (
    f"SELECT _id, data FROM {TABLE} WHERE status < 2 AND {PRIORITY} = ? AND {DUE} > ? ORDER BY {DUE}, _id LIMIT ?"
)
NEXT_DUE = f"SELECT MIN({DUE}) FROM {TABLE} WHERE status < 2 AND {PRIORITY} = ?"
MARK = f"UPDATE {TABLE} SET status = ? WHERE _id = ?"
DELETE = f"DELETE FROM {TABLE} WHERE _id = ?"
DELETE_WAITING = f"DELETE FROM {TABLE} WHERE status < 2"
COUNT_BY_STATUS = f"SELECT status, COUNT(*) FROM {TABLE} GROUP BY status"
# The same, quicker: SQLite counts a table faster than a part of it, and nearly all rows are fresh. First the number of
# all, then those of the others.
COUNT_ALL_AND_OTHERS = (
    f"SELECT NULL, (SELECT COUNT(*) FROM {TABLE}) UNION ALL "
    f"SELECT status, COUNT(*) FROM {TABLE} WHERE status > 0 GROUP BY status"
)
COUNT_WAITING = f"SELECT COUNT(*) FROM {TABLE} WHERE status < 2"
COUNT_UNDONE = f"SELECT COUNT(*) FROM {TABLE} WHERE status < 3"
ANY_WAITING = f"SELECT 1 FROM {TABLE} WHERE status < 2 LIMIT 1"
KEYS_UNDONE = f"SELECT {KEY} FROM {TABLE} WHERE status < 2 UNION SELECT {KEY} FROM {TABLE} WHERE status = 2"

# Resume after a worker that died: in flight becomes waiting, unless a newer row for the same key waits (libraries A6),
# or was in flight too: a save is claimed while an older row of its scene still is. Rows without a key stand for
# themselves.
RESUME = (
    f"UPDATE {TABLE} SET status = CASE WHEN {KEY} IN (SELECT {KEY} FROM {TABLE} WHERE status < 2) OR _id NOT IN "
    f"(SELECT MAX(_id) FROM {TABLE} WHERE status = 2 GROUP BY COALESCE({KEY},_id)) THEN 5 ELSE 1 END WHERE status = 2"
)
# Retry later in one statement; superseded (5) where a newer row for the same key waits.
RETRY = (
    f"UPDATE {TABLE} SET data = ?, status = CASE WHEN EXISTS "
    f"(SELECT 1 FROM {TABLE} WHERE status < 2 AND {KEY} = ?) THEN 5 ELSE 1 END WHERE _id = ?"
)
AWAITS_FILE = f"SELECT 1 FROM {TABLE} WHERE status < 3 AND json_extract({DOCUMENT},'$.awaits_file') LIMIT 1"
# What a job waited for is there: it is due now, and does not wait for its file any more.
WAKE = f"""UPDATE {TABLE} SET data = CAST(json_set(json_remove({DOCUMENT},'$.awaits_file'),'$.next_retry_at',0)
    AS BLOB) WHERE status < 2 AND {KEY} = ?"""
CLEAR_ACKNOWLEDGED = f"DELETE FROM {TABLE} WHERE status = 5"
