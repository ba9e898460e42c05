-- Tables of the broker. Statements end with ';' at the end of a line; a line that begins with '--'
-- is a comment. Every statement may run again: an upgrade that was cut short is simply repeated.
-- An applied file never changes (its SHA-256 is recorded): changes are new files.
--
-- Identifiers are UUIDs of version 7, times are milliseconds since 1970 (UTC), 0 = none.
-- Names and texts from outside are bytes: they compare byte by byte and keep what they were.

CREATE TABLE IF NOT EXISTS schema_version (
	version INT UNSIGNED NOT NULL,
	name VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
	sha256 BINARY(32) NOT NULL,
	applied_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
	PRIMARY KEY (version)
) ENGINE=InnoDB;

-- The last three times exist for their indexes; the smallest is always at the front:
-- ready_ms	APPROVED: when it may be claimed, that is due_ms or the end of the present lease
-- late_ms	open and not claimed: expires_ms
-- ended_ms	in a terminal state: when it was changed last
-- and are NULL otherwise.
CREATE TABLE IF NOT EXISTS request (
	id BINARY(16) NOT NULL,
	kind VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
	state ENUM('PENDING', 'APPROVED', 'EXECUTED', 'FAILED', 'EXPIRED', 'REJECTED', 'CANCELLED') NOT NULL,
	version BIGINT UNSIGNED NOT NULL,
	key_name VARBINARY(1024) NOT NULL,
	attributes_digest BINARY(32) NOT NULL,
	created_ms BIGINT NOT NULL,
	hsm_seconds BIGINT NOT NULL,
	due_ms BIGINT NOT NULL,
	expires_ms BIGINT NOT NULL,
	token MEDIUMBLOB NOT NULL,
	payload_type VARBINARY(255),
	meta_data MEDIUMBLOB,
	meta_data_signature MEDIUMBLOB,
	envelope MEDIUMBLOB NOT NULL,
	inner_clean MEDIUMBLOB NOT NULL,
	password_box BLOB NOT NULL,
	result MEDIUMBLOB NOT NULL,
	reason BLOB,
	execution_ms BIGINT NOT NULL,
	owner VARBINARY(255),
	lease_ms BIGINT NOT NULL,
	attempt INT UNSIGNED NOT NULL,
	fence BIGINT UNSIGNED NOT NULL,
	ready_ms BIGINT,
	late_ms BIGINT,
	ended_ms BIGINT,
	PRIMARY KEY (id),
	KEY request_ready (ready_ms),
	KEY request_late (late_ms),
	KEY request_ended (ended_ms),
	KEY request_state (state, created_ms),
	KEY request_created (created_ms),
	KEY request_key (key_name, created_ms)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS task (
	id BINARY(16) NOT NULL,
	request_id BINARY(16) NOT NULL,
	approver_id BINARY(32) NOT NULL,
	spki BLOB NOT NULL,
	created_ms BIGINT NOT NULL,
	fetched_ms BIGINT NOT NULL,
	expires_ms BIGINT NOT NULL,
	PRIMARY KEY (id),
	UNIQUE KEY task_request (request_id, approver_id),
	KEY task_approver (approver_id, created_ms)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- The primary key is the rule that an approver answers a request once.
CREATE TABLE IF NOT EXISTS approval (
	request_id BINARY(16) NOT NULL,
	approver_id BINARY(32) NOT NULL,
	approves TINYINT NOT NULL,
	spki BLOB NOT NULL,
	signed_approval MEDIUMBLOB NOT NULL,
	at_ms BIGINT NOT NULL,
	PRIMARY KEY (request_id, approver_id),
	KEY approval_approver (approver_id, at_ms)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS key_attributes (
	digest BINARY(32) NOT NULL,
	key_name VARBINARY(1024) NOT NULL,
	xml MEDIUMBLOB NOT NULL,
	xml_signature BLOB NOT NULL,
	attestation_key_name VARBINARY(1024),
	fetched_ms BIGINT NOT NULL,
	PRIMARY KEY (digest),
	KEY key_attributes_name (key_name, fetched_ms)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- Only ever grows by INSERT. The first row of a transaction carries the transaction's own id:
-- by it a program learns whether a COMMIT whose answer was lost has landed, and which run of it.
CREATE TABLE IF NOT EXISTS audit (
	id BINARY(16) NOT NULL,
	run INT UNSIGNED NOT NULL,
	at_ms BIGINT NOT NULL,
	request_id BINARY(16),
	action VARBINARY(64) NOT NULL,
	actor VARBINARY(255) NOT NULL,
	state_from VARBINARY(16),
	state_to VARBINARY(16),
	detail VARBINARY(2000),
	PRIMARY KEY (id),
	KEY audit_request (request_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
