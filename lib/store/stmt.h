/*
 * Every statement of the broker: STMT(name, programs, effect, text). Table and column names appear
 * in these texts, in schema/ and nowhere else; schema/grants_*.sql gives each program just the
 * rights of its rows. Included several times, so without a guard.
 *
 * programs: API, DISPATCHER, ADMIN, joined with |; running a foreign row is fatal.
 * effect decides whether a transaction that left no audit row may run again when the answer to its
 * COMMIT was lost:
 *	READ	changes nothing
 *	AGAIN	guarded by what it changes (version, primary key to delete) or idempotent: a second
 *		run finds nothing left to do
 *	ONCE	a second run would fail or count twice
 */
#ifndef STMT_TEXTS
#define STMT_TEXTS

#define REQUEST_COLUMNS                                                                            \
	"r.id, r.kind, r.state, r.version, r.key_name, r.attributes_digest, r.created_ms, "        \
	"r.hsm_seconds, r.due_ms, r.expires_ms, r.token, r.payload_type, r.meta_data, "            \
	"r.meta_data_signature, r.envelope, r.inner_clean, r.password_box, r.result, r.reason, "   \
	"r.execution_ms, r.owner, r.lease_ms, r.attempt, r.fence, r.outcome_sha256, "              \
	"r.planned_digest, r.planned_ms"

/* The same order; what the level does not show, and secrets, stay in the database. */
#define TASK_REQUEST_COLUMNS                                                                       \
	"r.id, r.kind, r.state, r.version, r.key_name, r.attributes_digest, r.created_ms, "        \
	"r.hsm_seconds, r.due_ms, r.expires_ms, r.token, r.payload_type, "                         \
	"IF(? >= 2, r.meta_data, NULL), IF(? >= 2, r.meta_data_signature, NULL), "                 \
	"IF(? >= 3, r.envelope, ''), IF(? >= 3, r.inner_clean, ''), '', '', NULL, "                \
	"r.execution_ms, r.owner, r.lease_ms, r.attempt, r.fence, NULL, r.planned_digest, "        \
	"r.planned_ms"

/* The same order again: what lists show. Contents and secrets stay in the database. */
#define LISTED_REQUEST_COLUMNS                                                                     \
	"r.id, r.kind, r.state, r.version, r.key_name, r.attributes_digest, r.created_ms, "        \
	"r.hsm_seconds, r.due_ms, r.expires_ms, '', r.payload_type, r.meta_data, NULL, '', '', "   \
	"'', '', r.reason, r.execution_ms, r.owner, r.lease_ms, r.attempt, r.fence, NULL, "        \
	"r.planned_digest, r.planned_ms"

#define TASK_COLUMNS                                                                               \
	"t.id, t.request_id, t.approver_id, t.spki, t.created_ms, t.fetched_ms, t.expires_ms"
#define KEY_COLUMNS                                                                                \
	"k.digest, k.key_name, k.xml, k.xml_signature, k.attestation_key_name, k.fetched_ms"

#define IMPORTED_COLUMNS "key_name, attributes_digest, attest_time, imported_ms, certificate"

#define APPROVER_COLUMNS                                                                           \
	"name, state, version, certificate, container, backup, wrapped_key, backup_key, "          \
	"code_salt, code_hash, code_expires_ms, code_tries, wrong_tries, wrong_since_ms, "         \
	"created_ms, changed_ms, restored_ms"

#define EIGHT_IDS "?, ?, ?, ?, ?, ?, ?, ?"
/* STORE_BATCH of them; a shorter list repeats its last. */
#define BATCH_OF_IDS EIGHT_IDS ", " EIGHT_IDS ", " EIGHT_IDS ", " EIGHT_IDS

/*
 * STRAIGHT_JOIN: start from the tasks, in the order of an index, however many requests are open.
 * The index is named because the server may take another one, and then sorts all that an approver
 * has.
 */
#define TASK_LIST(index, which, order)                                                             \
	"SELECT STRAIGHT_JOIN " TASK_COLUMNS ", " TASK_REQUEST_COLUMNS ", " KEY_COLUMNS            \
	" FROM task t " index " JOIN request r ON r.id = t.request_id "                            \
	"LEFT JOIN key_attributes k ON ? >= 5 AND k.digest = "                                     \
	"COALESCE(r.planned_digest, r.attributes_digest) "                                         \
	"WHERE " which " " TASK_IS_OPEN "ORDER BY " order " LIMIT ? OFFSET ?"
#define TASK_IS_OPEN                                                                               \
	"AND r.state IN ('PENDING', 'APPROVED') AND r.owner IS NULL "                              \
	"AND (r.expires_ms = 0 OR r.expires_ms > ?) AND (t.expires_ms = 0 OR t.expires_ms > ?) "
#define TASK_MINE   "t.approver_id = ?"
#define TASK_LISTED "t.listed_as = ?"
#define TASK_SHOWN  "(? IS NULL OR " TASK_MINE ") AND (? IS NULL OR " TASK_LISTED ")"

/* One statement for each order. Where two indexes do, the server knows which one finds less. */
#define TASK_LISTS(name, programs, created, fetched, which)                                        \
	STMT(name##_CREATED_ASC, programs, READ, TASK_LIST(created, which, "t.created_ms, t.id"))  \
	STMT(name##_CREATED_DESC, programs, READ,                                                  \
	    TASK_LIST(created, which, "t.created_ms DESC, t.id DESC"))                             \
	STMT(name##_FETCHED_ASC, programs, READ, TASK_LIST(fetched, which, "t.fetched_ms, t.id"))  \
	STMT(name##_FETCHED_DESC, programs, READ,                                                  \
	    TASK_LIST(fetched, which, "t.fetched_ms DESC, t.id DESC"))

#define TASK_ROW "(?, ?, ?, ?, ?, ?, ?, ?)"
#define TASK_INTO                                                                                  \
	"INSERT INTO task (id, request_id, approver_id, spki, created_ms, fetched_ms, "            \
	"expires_ms, listed_as) VALUES " TASK_ROW

/* The same with the votes of a request that is not repeated at length for each of them. */
#define REQUEST_VIEW_TEXT                                                                          \
	"SELECT " REQUEST_COLUMNS ", a.request_id, a.approver_id, a.approves, a.spki, "            \
	"IF(a.approves, '', a.signed_approval), a.at_ms, a.reason FROM request r "                 \
	"LEFT JOIN approval a ON a.request_id = r.id AND " REQUEST_IS_SMALL " WHERE r.id = ?"
/* As row_is_small() has it. */
#define REQUEST_IS_SMALL                                                                           \
	"LENGTH(r.token) + LENGTH(r.envelope) + LENGTH(r.inner_clean) + LENGTH(r.result) < 16384"

#define SEVEN_STATES "r.state IN (?, ?, ?, ?, ?, ?, ?)"

/*
 * The newest of one state, seven times: the server reads the front of each state in an index, where
 * IN would have it read all of them. A state that is not asked for has the limit 0.
 */
#define OF_STATE(more)                                                                             \
	"(SELECT id, state, created_ms FROM request WHERE state = ?" more                          \
	" ORDER BY created_ms DESC, id DESC LIMIT ?)"
#define OF_THREE(more) OF_STATE(more) " UNION ALL " OF_STATE(more) " UNION ALL " OF_STATE(more)
#define EACH_STATE(more)                                                                           \
	"(" OF_THREE(more) " UNION ALL " OF_THREE(more) " UNION ALL " OF_STATE(more) ") AS s"
#define EVERY_STATE        EACH_STATE("")
#define EVERY_STATE_BEHIND EACH_STATE(" AND " REQUEST_BEHIND)

/* Those behind a place in the list; the first bound of the time is for the index. */
#define REQUEST_BEHIND "created_ms >= ? AND created_ms <= ? AND (created_ms < ? OR id < ?)"
#define REQUEST_PAGE_TEXT(which)                                                                   \
	"SELECT " LISTED_REQUEST_COLUMNS " FROM request r WHERE " REQUEST_BEHIND which             \
	" ORDER BY r.created_ms DESC, r.id DESC LIMIT ?"

#endif

/* ---- requests ---- */

STMT(REQUEST_INSERT, API, ONCE,
    "INSERT INTO request (id, kind, state, version, key_name, attributes_digest, created_ms, "
    "hsm_seconds, due_ms, expires_ms, token, payload_type, meta_data, meta_data_signature, "
    "envelope, inner_clean, password_box, result, reason, execution_ms, owner, lease_ms, attempt, "
    "fence, ready_ms, late_ms, ended_ms, token_sha256) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
STMT(REQUEST_LOAD, API | DISPATCHER, READ,
    "SELECT " REQUEST_COLUMNS " FROM request r WHERE r.id = ?")
STMT(REQUEST_VIEW, API, READ, REQUEST_VIEW_TEXT)
STMT(REQUEST_LOCK, API | DISPATCHER, READ,
    "SELECT " REQUEST_COLUMNS " FROM request r WHERE r.id = ? FOR UPDATE")
STMT(REQUESTS_LOCK, DISPATCHER, READ,
    "SELECT " REQUEST_COLUMNS " FROM request r FORCE INDEX (PRIMARY) "
    "WHERE r.id IN (" BATCH_OF_IDS ") FOR UPDATE")
/* The subquery locks nothing: who ends a request locks it first, and then its tasks. */
STMT(REQUEST_LOCK_OF_TASK, API | DISPATCHER, READ,
    "SELECT " REQUEST_COLUMNS " FROM request r "
    "WHERE r.id = (SELECT t.request_id FROM task t WHERE t.id = ?) FOR UPDATE")
STMT(REQUEST_MOVE, API | DISPATCHER, AGAIN,
    "UPDATE request SET state = ?, version = version + 1, due_ms = ?, expires_ms = ?, result = ?, "
    "reason = ?, execution_ms = ?, owner = ?, lease_ms = ?, attempt = attempt + ?, "
    "fence = fence + ?, ready_ms = ?, late_ms = ?, ended_ms = ?, outcome_sha256 = ?, "
    "planned_digest = COALESCE(?, planned_digest), planned_ms = COALESCE(?, planned_ms), "
    "password_box = IF(?, '', password_box) "
    "WHERE id = ? AND version = ? AND state = ? AND fence = ?")
STMT(REQUEST_ERASE_RESULT, API, AGAIN,
    "UPDATE request SET result = '', version = version + 1, ended_ms = ? "
    "WHERE id = ? AND version = ? AND state = 'EXECUTED' AND fence = ?")
STMT(REQUEST_DUE, DISPATCHER, READ,
    "SELECT id FROM request WHERE ready_ms <= ? ORDER BY ready_ms LIMIT ?")
STMT(REQUEST_DUE_LOCK, DISPATCHER, READ,
    "SELECT id FROM request WHERE ready_ms <= ? ORDER BY ready_ms LIMIT ? FOR UPDATE SKIP LOCKED")
STMT(REQUEST_OWNED, DISPATCHER, READ,
    "SELECT id FROM request WHERE state = 'APPROVED' AND owner = ? ORDER BY created_ms LIMIT ?")
STMT(REQUEST_LATE, DISPATCHER, READ,
    "SELECT id FROM request WHERE late_ms <= ? ORDER BY late_ms LIMIT ?")
/* A key and what is derived from it: the names between "name/" and "name0" start with "name/". */
STMT(REQUEST_OF_KEY, API | DISPATCHER, READ,
    "SELECT id FROM request WHERE state IN ('PENDING', 'APPROVED') "
    "AND (key_name = ? OR (key_name >= ? AND key_name < ?)) ORDER BY created_ms, id LIMIT ?")
STMT(REQUEST_LIST, API, READ,
    "SELECT r.id, r.state FROM request r ORDER BY r.created_ms DESC, r.id DESC LIMIT ? OFFSET ?")
STMT(REQUEST_LIST_OF_STATES, API, READ,
    "SELECT s.id, s.state FROM " EVERY_STATE
    " ORDER BY s.created_ms DESC, s.id DESC LIMIT ? OFFSET ?")
STMT(REQUEST_LIST_OF_KEY, API, READ,
    "SELECT r.id, r.state FROM request r WHERE r.key_name = ? AND " SEVEN_STATES
    " ORDER BY r.created_ms DESC, r.id DESC LIMIT ? OFFSET ?")
STMT(REQUEST_PAGE, API, READ, REQUEST_PAGE_TEXT(""))
STMT(REQUEST_PAGE_OF_STATES, API, READ,
    "SELECT " LISTED_REQUEST_COLUMNS " FROM " EVERY_STATE_BEHIND
    " JOIN request r ON r.id = s.id ORDER BY r.created_ms DESC, r.id DESC LIMIT ?")
STMT(REQUEST_PAGE_OF_KEY, API, READ, REQUEST_PAGE_TEXT(" AND r.key_name = ? AND " SEVEN_STATES))
STMT(REQUEST_PAGE_OF_ONE, API, READ,
    REQUEST_PAGE_TEXT(" AND r.id = ? AND (? IS NULL OR r.key_name = ?) AND " SEVEN_STATES))
STMT(REQUEST_CREATED, API, READ, "SELECT created_ms FROM request WHERE id = ?")
/* Results that came without the id of their request. Those that wait come first. */
STMT(REQUEST_OF_TOKEN, API, READ,
    "SELECT r.id, r.state FROM request r "
    "WHERE r.token_sha256 = ? AND (r.state = 'PENDING' OR r.outcome_sha256 IS NOT NULL) "
    "ORDER BY r.state <> 'PENDING', r.created_ms DESC, r.id DESC LIMIT ?")
/* The newest other one. */
STMT(REQUEST_TWIN, API, READ,
    "SELECT r.id FROM request r WHERE r.token_sha256 = ? AND r.key_name = ? AND r.id <> ? "
    "ORDER BY r.created_ms DESC, r.id DESC LIMIT 1")
/* Two looks at the front of an index. */
STMT(REQUEST_NEXT_TIME, DISPATCHER, READ,
    "SELECT MIN(at_ms) FROM (SELECT MIN(ready_ms) AS at_ms FROM request "
    "UNION ALL SELECT MIN(late_ms) FROM request) AS next")
STMT(REQUEST_OLD, DISPATCHER, READ,
    "SELECT id FROM request WHERE ended_ms < ? ORDER BY ended_ms LIMIT ? FOR UPDATE SKIP LOCKED")
STMT(REQUEST_DELETE, DISPATCHER, AGAIN, "DELETE FROM request WHERE id = ? AND ended_ms < ?")

/* ---- tasks ---- */

STMT(TASK_INSERT, API | DISPATCHER, ONCE, TASK_INTO)
STMT(TASK_INSERT_2, API | DISPATCHER, ONCE, TASK_INTO ", " TASK_ROW)
STMT(TASK_INSERT_4, API | DISPATCHER, ONCE, TASK_INTO ", " TASK_ROW ", " TASK_ROW ", " TASK_ROW)
/* With what others have answered so far, without the approvals themselves. */
STMT(TASK_VOTES, API | DISPATCHER, READ,
    "SELECT " TASK_COLUMNS ", a.request_id, a.approver_id, a.approves, a.spki, "
    "IF(a.approves, '', a.signed_approval), a.at_ms, a.reason FROM task t "
    "LEFT JOIN approval a ON a.request_id = t.request_id WHERE t.id = ?")
STMT(TASK_LOAD_OF_REQUEST, API | DISPATCHER, READ,
    "SELECT " TASK_COLUMNS " FROM task t WHERE t.request_id = ?")
STMT(TASK_DELETE, API | DISPATCHER, AGAIN, "DELETE FROM task WHERE id = ?")
STMT(TASK_DELETE_OF_REQUEST, API | DISPATCHER, AGAIN, "DELETE FROM task WHERE request_id = ?")
/* As many at once as lists usually have; a shorter one repeats its last. */
STMT(TASK_TOUCH, API | DISPATCHER, AGAIN,
    "UPDATE task SET fetched_ms = ? WHERE id IN (" EIGHT_IDS ", " EIGHT_IDS ", " EIGHT_IDS ")")
/* What an automated approver is to be asked about: the longest ago asked first. */
STMT(TASK_WAITING, DISPATCHER, READ,
    "SELECT STRAIGHT_JOIN t.id FROM task t FORCE INDEX (task_fetched) "
    "JOIN request r ON r.id = t.request_id "
    "WHERE " TASK_MINE " " TASK_IS_OPEN "ORDER BY t.fetched_ms, t.id LIMIT ?")
STMT(TASK_LIST_ONE, API | DISPATCHER, READ, TASK_LIST("", "t.id = ? AND " TASK_SHOWN, "t.id"))
TASK_LISTS(TASK_LIST_OF_REQUEST, API, "FORCE INDEX (task_request)", "FORCE INDEX (task_request)",
    "t.request_id = ? AND " TASK_SHOWN)
TASK_LISTS(TASK_LIST_MINE, API, "FORCE INDEX (task_approver)", "FORCE INDEX (task_fetched)",
    TASK_MINE)
TASK_LISTS(TASK_LIST_MINE_OF_KIND, API, "FORCE INDEX (task_listed)",
    "USE INDEX (task_listed, task_fetched)", TASK_MINE " AND " TASK_LISTED)
TASK_LISTS(TASK_LIST_ALL, API, "FORCE INDEX (task_all_created)", "FORCE INDEX (task_all_fetched)",
    "TRUE")
TASK_LISTS(TASK_LIST_ALL_OF_KIND, API, "FORCE INDEX (task_all_listed)",
    "USE INDEX (task_all_listed, task_all_fetched)", TASK_LISTED)

/*
 * ---- approvals ----
 *
 * Not in order: to sort rows that have blobs the server makes a table on disk, or reads them twice.
 */

STMT(APPROVAL_INSERT, API | DISPATCHER, AGAIN,
    "INSERT INTO approval (request_id, approver_id, approves, spki, signed_approval, at_ms, "
    "reason) VALUES (?, ?, ?, ?, ?, ?, ?)")
STMT(APPROVAL_LOAD, API | DISPATCHER, READ,
    "SELECT request_id, approver_id, approves, spki, signed_approval, at_ms, reason "
    "FROM approval WHERE request_id = ?")
STMT(APPROVALS_OF_REQUESTS, DISPATCHER, READ,
    "SELECT request_id, approver_id, approves, spki, signed_approval, at_ms, reason "
    "FROM approval WHERE request_id IN (" BATCH_OF_IDS ")")
/* Without the approvals themselves. */
STMT(APPROVAL_VOTES, API | DISPATCHER, READ,
    "SELECT request_id, approver_id, approves, spki, IF(approves, '', signed_approval), at_ms, "
    "reason FROM approval WHERE request_id = ?")
/* Open requests that an approver has approved. */
STMT(APPROVAL_OF_APPROVER, API, READ,
    "SELECT a.request_id FROM approval a JOIN request r ON r.id = a.request_id "
    "WHERE a.approver_id = ? AND a.approves = 1 AND r.state IN ('PENDING', 'APPROVED') "
    "ORDER BY a.at_ms, a.request_id LIMIT ? OFFSET ?")
STMT(APPROVAL_DELETE_OF_REQUEST, DISPATCHER, AGAIN, "DELETE FROM approval WHERE request_id = ?")

/* ---- attested attributes ---- */

STMT(KEY_INSERT, API | DISPATCHER, AGAIN,
    "INSERT INTO key_attributes (digest, key_name, xml, xml_signature, attestation_key_name, "
    "fetched_ms) VALUES (?, ?, ?, ?, ?, ?)")
/* Not ON DUPLICATE KEY UPDATE: that would need the right to change every column it lists. */
STMT(KEY_TOUCH, API | DISPATCHER, AGAIN,
    "UPDATE key_attributes SET fetched_ms = GREATEST(fetched_ms, ?) WHERE digest = ?")
STMT(KEY_LOAD, API | DISPATCHER, READ,
    "SELECT " KEY_COLUMNS " FROM key_attributes k WHERE k.digest = ?")

/* ---- keys known by imported attributes ---- */

STMT(IMPORTED_LOAD, API, READ, "SELECT " IMPORTED_COLUMNS " FROM imported_key WHERE key_name = ?")
STMT(IMPORTED_LOCK, API, READ,
    "SELECT " IMPORTED_COLUMNS " FROM imported_key WHERE key_name = ? FOR UPDATE")
STMT(IMPORTED_LIST, API, READ,
    "SELECT key_name FROM imported_key WHERE attributes_digest <> REPEAT(CHAR(0), 32) "
    "ORDER BY key_name")
STMT(IMPORTED_FORGET, API, AGAIN,
    "UPDATE imported_key SET attributes_digest = REPEAT(CHAR(0), 32), certificate = '' "
    "WHERE key_name = ? AND attributes_digest = ?")
STMT(IMPORTED_INSERT, API, ONCE,
    "INSERT INTO imported_key (key_name, attributes_digest, attest_time, imported_ms, certificate) "
    "VALUES (?, ?, ?, ?, ?)")
/* Whatever the program believes, time does not go back. */
STMT(IMPORTED_RENEW, API, AGAIN,
    "UPDATE imported_key SET attributes_digest = ?, attest_time = ?, imported_ms = ?, "
    "certificate = ? WHERE key_name = ? AND attributes_digest = ? AND attest_time < ?")
STMT(IMPORTED_CERTIFY, API, AGAIN,
    "UPDATE imported_key SET certificate = ? "
    "WHERE key_name = ? AND attributes_digest = ? AND certificate = ?")

/* ---- approvers whose keys the broker made ---- */

STMT(APPROVER_INSERT, API, ONCE,
    "INSERT INTO approver (name, state, version, certificate, container, backup, wrapped_key, "
    "backup_key, code_salt, code_hash, code_expires_ms, code_tries, wrong_tries, wrong_since_ms, "
    "created_ms, changed_ms, restored_ms) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
STMT(APPROVER_LOAD, API | DISPATCHER, READ,
    "SELECT " APPROVER_COLUMNS " FROM approver WHERE name = ?")
STMT(APPROVER_LOCK, API | DISPATCHER, READ,
    "SELECT " APPROVER_COLUMNS " FROM approver WHERE name = ? FOR UPDATE")
STMT(APPROVER_LIST, API, READ, "SELECT name, state, certificate FROM approver ORDER BY name")
STMT(APPROVER_CHANGE, API | DISPATCHER, AGAIN,
    "UPDATE approver SET state = ?, version = version + 1, container = ?, backup = ?, "
    "wrapped_key = ?, backup_key = ?, code_salt = ?, code_hash = ?, code_expires_ms = ?, "
    "code_tries = ?, wrong_tries = ?, wrong_since_ms = ?, changed_ms = ?, restored_ms = ? "
    "WHERE name = ? AND version = ?")
STMT(APPROVER_DELETE, API, AGAIN, "DELETE FROM approver WHERE name = ? AND version = ?")
/* A key that was remembered without its label counts under every label. */
STMT(BACKUP_KEY_FIND, API, READ,
    "SELECT made_ms FROM backup_key WHERE spki_sha256 = ? AND label IN (?, '')")
STMT(BACKUP_KEY_INSERT, API, AGAIN,
    "INSERT IGNORE INTO backup_key (spki_sha256, label, made_ms) VALUES (?, ?, ?)")
STMT(BACKUP_KEY_DELETE, API, AGAIN, "DELETE FROM backup_key WHERE spki_sha256 = ? AND label = ?")

/* ---- audit ---- */

STMT(AUDIT_INSERT, API | DISPATCHER, ONCE,
    "INSERT INTO audit (id, run, request_id, action, actor, state_from, state_to, detail, caller, "
    "address, key_name) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
/* Locking: waits for a transaction that still holds the row instead of not seeing it. */
STMT(AUDIT_FIND, API | DISPATCHER, READ, "SELECT run FROM audit WHERE id = ? LOCK IN SHARE MODE")

/* ---- schema ---- */

STMT(SCHEMA_VERSION, API | DISPATCHER | ADMIN, READ,
    "SELECT COALESCE(MAX(version), 0) FROM schema_version")
STMT(SCHEMA_APPLIED, ADMIN, READ,
    "SELECT version, name, sha256 FROM schema_version ORDER BY version")
STMT(SCHEMA_RECORD, ADMIN, ONCE,
    "INSERT INTO schema_version (version, name, sha256) VALUES (?, ?, ?)")
STMT(SCHEMA_LOCK, ADMIN, READ, "SELECT GET_LOCK(CONCAT('tsb.schema.', DATABASE()), ?)")
