-- What the record says of itself. The triggers of schema/guards.sql fill in when a row arrived or was
-- changed, by the database's clock, and by which login; programs cannot choose it: taken_ms,
-- changed_ms, login, changed_login, and at_ms of table audit.
--
-- The rest of an audit row is what the program tells:
-- actor	who acted: a role, an approver, a dispatcher
-- caller	what the caller proved: fingerprints of its API key and certificate, its name
-- address	whence it called, as the web server says
-- key_name	the key that was made, deleted, moved or changed; requests have theirs in table request
ALTER TABLE audit
	ADD COLUMN IF NOT EXISTS login VARBINARY(255) NOT NULL DEFAULT '',
	ADD COLUMN IF NOT EXISTS caller VARBINARY(512),
	ADD COLUMN IF NOT EXISTS address VARBINARY(64),
	ADD COLUMN IF NOT EXISTS key_name VARBINARY(1024),
	MODIFY COLUMN at_ms BIGINT NOT NULL DEFAULT 0;

ALTER TABLE request
	ADD COLUMN IF NOT EXISTS taken_ms BIGINT NOT NULL DEFAULT 0,
	ADD COLUMN IF NOT EXISTS login VARBINARY(255) NOT NULL DEFAULT '',
	ADD COLUMN IF NOT EXISTS changed_ms BIGINT NOT NULL DEFAULT 0,
	ADD COLUMN IF NOT EXISTS changed_login VARBINARY(255) NOT NULL DEFAULT '';

ALTER TABLE approval
	ADD COLUMN IF NOT EXISTS taken_ms BIGINT NOT NULL DEFAULT 0,
	ADD COLUMN IF NOT EXISTS login VARBINARY(255) NOT NULL DEFAULT '';
