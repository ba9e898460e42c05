-- Rights of tsb-dispatcher: what its statements need and nothing else. It makes no requests, and tasks
-- only where the policy of a key has changed; it brings in approvals of automated approvers, which count
-- for nothing without their signature; it deletes finished requests when their time is over.
-- The user is made by the administrator (CREATE USER ... IDENTIFIED BY ...) before the upgrade.
GRANT SELECT (version) ON schema_version TO @DISPATCHER_USER@;
GRANT SELECT, DELETE, UPDATE (state, version, due_ms, expires_ms, password_box, result, reason,
	execution_ms, owner, lease_ms, attempt, fence, ready_ms, late_ms, ended_ms,
	outcome_sha256, planned_digest, planned_ms) ON request TO @DISPATCHER_USER@;
GRANT SELECT, INSERT, DELETE, UPDATE (fetched_ms) ON task TO @DISPATCHER_USER@;
GRANT SELECT, INSERT, DELETE ON approval TO @DISPATCHER_USER@;
GRANT SELECT, INSERT, UPDATE (fetched_ms) ON key_attributes TO @DISPATCHER_USER@;
GRANT SELECT (id, run), INSERT ON audit TO @DISPATCHER_USER@;
GRANT SELECT, UPDATE (state, version, container, backup, wrapped_key, backup_key, code_salt, code_hash,
	code_expires_ms, code_tries, wrong_tries, wrong_since_ms, changed_ms,
	restored_ms) ON approver TO @DISPATCHER_USER@;
-- The server keeps logins and rights in tables that lose their last changes when it is killed: write them out.
FLUSH TABLES mysql.global_priv, mysql.db, mysql.tables_priv, mysql.columns_priv;
