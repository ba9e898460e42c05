-- Which keys of the HSM this broker made for backups of approvers, by the SHA-256 of their
-- SubjectPublicKeyInfo. 32 zero bytes: the broker is about to make the key of this label. Those that backups
-- were made for so far have no label.
CREATE TABLE IF NOT EXISTS backup_key (
	spki_sha256 BINARY(32) NOT NULL,
	label VARBINARY(1024) NOT NULL,
	made_ms BIGINT NOT NULL,
	PRIMARY KEY (spki_sha256, label)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
INSERT IGNORE INTO backup_key (spki_sha256, label, made_ms)
	SELECT backup_key, '', MIN(created_ms) FROM approver GROUP BY backup_key;

-- Not 0: the container came out of a restoration, under a password that whoever asked for it chose; its codes
-- come from approved requests alone.
ALTER TABLE approver ADD COLUMN IF NOT EXISTS restored_ms BIGINT NOT NULL DEFAULT 0;
UPDATE approver SET restored_ms = changed_ms WHERE restored_ms = 0 AND name IN
	(SELECT detail FROM audit WHERE action = 'approver forgot password');
