-- What no program may do to the record, even when somebody else has taken it over. The rights on columns
-- (grants_*.sql) cannot say it: they do not know what a row holds.
--
-- Every upgrade applies this file again, so it may change; its triggers then run as the login that ran the
-- upgrade (CURRENT_USER() here, while USER() is the connection's): that login must stay, and is the
-- only one that they do not bind. Each trigger is one statement (schema/001_requests.sql).
--
-- Times are SYSDATE() in UTC: a session may choose what NOW() says, and some zones have an hour twice.

CREATE OR REPLACE TRIGGER audit_made BEFORE INSERT ON audit FOR EACH ROW
SET @@session.time_zone = '+00:00',
	NEW.at_ms = FLOOR(UNIX_TIMESTAMP(SYSDATE(3)) * 1000),
	NEW.login = USER();

-- Requests: open at first, then changing, then finished for good. What is finished may lose its result
-- (fetchResultOnce), and no earlier than now has it ended: retainFinishedRequests counts from there.

CREATE OR REPLACE TRIGGER request_made BEFORE INSERT ON request FOR EACH ROW
SET @@session.time_zone = '+00:00',
	NEW.taken_ms = FLOOR(UNIX_TIMESTAMP(SYSDATE(3)) * 1000),
	NEW.login = USER(),
	NEW.changed_ms = NEW.taken_ms,
	NEW.changed_login = NEW.login;

CREATE OR REPLACE TRIGGER request_opens BEFORE INSERT ON request FOR EACH ROW
IF USER() <> CURRENT_USER() AND (NEW.state NOT IN ('PENDING', 'APPROVED') OR NEW.result <> ''
	OR (NEW.reason, NEW.outcome_sha256, NEW.ended_ms) <=> (NULL, NULL, NULL) = 0)
THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a new request is open and has no outcome'; END IF;

CREATE OR REPLACE TRIGGER request_changed BEFORE UPDATE ON request FOR EACH ROW
SET @@session.time_zone = '+00:00',
	NEW.changed_ms = FLOOR(UNIX_TIMESTAMP(SYSDATE(3)) * 1000),
	NEW.changed_login = USER(),
	NEW.ended_ms = IF(USER() = CURRENT_USER() OR NEW.state IN ('PENDING', 'APPROVED'), NEW.ended_ms,
		GREATEST(COALESCE(NEW.ended_ms, 0), COALESCE(OLD.ended_ms, NEW.changed_ms)));

CREATE OR REPLACE TRIGGER request_stays BEFORE UPDATE ON request FOR EACH ROW
IF USER() <> CURRENT_USER() AND OLD.state NOT IN ('PENDING', 'APPROVED') AND NOT (
	OLD.state = 'EXECUTED' AND NEW.state = 'EXECUTED' AND NEW.result = '' AND
	(NEW.due_ms, NEW.expires_ms, NEW.password_box, NEW.reason, NEW.execution_ms, NEW.owner, NEW.lease_ms,
		NEW.attempt, NEW.fence, NEW.ready_ms, NEW.late_ms, NEW.outcome_sha256,
		NEW.planned_digest, NEW.planned_ms) <=>
	(OLD.due_ms, OLD.expires_ms, OLD.password_box, OLD.reason, OLD.execution_ms, OLD.owner, OLD.lease_ms,
		OLD.attempt, OLD.fence, OLD.ready_ms, OLD.late_ms, OLD.outcome_sha256,
		OLD.planned_digest, OLD.planned_ms))
THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a finished request stays as it is'; END IF;

CREATE OR REPLACE TRIGGER request_goes BEFORE DELETE ON request FOR EACH ROW
IF USER() <> CURRENT_USER() AND OLD.state IN ('PENDING', 'APPROVED')
THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a request that is open is not deleted'; END IF;

-- Approvals: of open requests only; they go with a finished one.

CREATE OR REPLACE TRIGGER approval_made BEFORE INSERT ON approval FOR EACH ROW
SET @@session.time_zone = '+00:00',
	NEW.taken_ms = FLOOR(UNIX_TIMESTAMP(SYSDATE(3)) * 1000),
	NEW.login = USER();

CREATE OR REPLACE TRIGGER approval_counts BEFORE INSERT ON approval FOR EACH ROW
IF USER() <> CURRENT_USER() AND NOT EXISTS (SELECT 1 FROM request r
	WHERE r.id = NEW.request_id AND r.state IN ('PENDING', 'APPROVED'))
THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'only an open request takes approvals'; END IF;

CREATE OR REPLACE TRIGGER approval_goes BEFORE DELETE ON approval FOR EACH ROW
IF USER() <> CURRENT_USER() AND EXISTS (SELECT 1 FROM request r
	WHERE r.id = OLD.request_id AND r.state IN ('PENDING', 'APPROVED'))
THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'approvals of an open request are not deleted'; END IF;
