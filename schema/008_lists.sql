-- What lists need so that they stay as quick with ten million rows as with a thousand.
--
-- listed_as	the kind under which a task is listed, so that "none of this kind" is one look into an index
-- token_sha256	of the approval token, where results may come back without the id of their request (profile
--		air-gapped); NULL elsewhere
--
-- Each index of task is one order in which tasks are listed: of an approver and of all approvers, of one
-- kind and of all kinds, by creation and by last fetch.
ALTER TABLE task
	ADD COLUMN IF NOT EXISTS listed_as VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '';
UPDATE task t JOIN request r ON r.id = t.request_id
	SET t.listed_as = IF(r.kind = 'restoreApprover', 'unwrap', r.kind) WHERE t.listed_as = '';
ALTER TABLE task
	ADD KEY IF NOT EXISTS task_listed (approver_id, listed_as, created_ms),
	ADD KEY IF NOT EXISTS task_fetched (approver_id, fetched_ms),
	ADD KEY IF NOT EXISTS task_all_created (created_ms),
	ADD KEY IF NOT EXISTS task_all_listed (listed_as, created_ms),
	ADD KEY IF NOT EXISTS task_all_fetched (fetched_ms);

ALTER TABLE request
	ADD COLUMN IF NOT EXISTS token_sha256 BINARY(32);
UPDATE request SET token_sha256 = UNHEX(SHA2(token, 256)) WHERE token <> '' AND token_sha256 IS NULL
	AND (state IN ('PENDING', 'APPROVED') OR outcome_sha256 IS NOT NULL);
ALTER TABLE request
	ADD KEY IF NOT EXISTS request_token (token_sha256);
