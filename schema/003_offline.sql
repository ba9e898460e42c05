-- The profile air-gapped: keys that are known by attributes which an offline HSM signed.

-- What is in force of each key; the documents themselves are in key_attributes. attest_time (seconds, of
-- the offline HSM's clock) only ever grows: every UPDATE is guarded by it. certificate: of the key, DER, may
-- be empty.
CREATE TABLE IF NOT EXISTS imported_key (
	key_name VARBINARY(1024) NOT NULL,
	attributes_digest BINARY(32) NOT NULL,
	attest_time BIGINT NOT NULL,
	imported_ms BIGINT NOT NULL,
	certificate BLOB NOT NULL,
	PRIMARY KEY (key_name)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- SHA-256 of the outcome that was carried back: the same again is recognised, also when the result has been
-- erased since.
ALTER TABLE request ADD COLUMN IF NOT EXISTS outcome_sha256 BINARY(32);
