-- Approvers whose keys the broker made. What each column protects is told in SECURITY.md:
-- container	PKCS#12 under the backup password, sealed with the broker's secret key
-- backup	private key sealed with a random key, which wrapped_key holds for the HSM's backup key
--		alone; backup_key is the SHA-256 of that key's SubjectPublicKeyInfo
-- A one-time code is there while its salt is not empty. wrong_tries counts since wrong_since_ms, over
-- all codes of the approver.
CREATE TABLE IF NOT EXISTS approver (
	name VARBINARY(255) NOT NULL,
	state ENUM('PENDING', 'ONBOARDED') NOT NULL,
	version BIGINT UNSIGNED NOT NULL,
	certificate BLOB NOT NULL,
	container MEDIUMBLOB NOT NULL,
	backup MEDIUMBLOB NOT NULL,
	wrapped_key BLOB NOT NULL,
	backup_key BINARY(32) NOT NULL,
	code_salt VARBINARY(32) NOT NULL,
	code_hash VARBINARY(32) NOT NULL,
	code_expires_ms BIGINT NOT NULL,
	code_tries INT UNSIGNED NOT NULL,
	wrong_tries INT UNSIGNED NOT NULL,
	wrong_since_ms BIGINT NOT NULL,
	created_ms BIGINT NOT NULL,
	changed_ms BIGINT NOT NULL,
	PRIMARY KEY (name)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
