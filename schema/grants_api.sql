-- Rights of tsb-fcgi: what its statements need and nothing else. It removes no request and no
-- approval, and cannot change or read back what the audit says.
-- The user is made by the administrator (CREATE USER ... IDENTIFIED BY ...) before the upgrade.
GRANT SELECT (version) ON schema_version TO @API_USER@;
GRANT SELECT, INSERT, UPDATE (state, version, due_ms, expires_ms, password_box, result, reason,
	execution_ms, owner, lease_ms, attempt, fence, ready_ms, late_ms, ended_ms,
	outcome_sha256, planned_digest, planned_ms) ON request TO @API_USER@;
GRANT SELECT, INSERT, DELETE, UPDATE (fetched_ms) ON task TO @API_USER@;
GRANT SELECT, INSERT ON approval TO @API_USER@;
GRANT SELECT, INSERT, UPDATE (fetched_ms) ON key_attributes TO @API_USER@;
GRANT SELECT, INSERT, UPDATE (attributes_digest, attest_time, imported_ms, certificate) ON imported_key
	TO @API_USER@;
GRANT SELECT (id, run), INSERT ON audit TO @API_USER@;
GRANT SELECT, INSERT, DELETE ON backup_key TO @API_USER@;
GRANT SELECT, INSERT, DELETE, UPDATE (state, version, container, backup, wrapped_key, backup_key, code_salt,
	code_hash, code_expires_ms, code_tries, wrong_tries, wrong_since_ms, changed_ms, restored_ms) ON approver TO @API_USER@;
