-- A policy may change while requests wait. planned_digest: the key's attributes by which approvers are asked
-- since then; NULL: those at creation (attributes_digest). planned_ms: when they were chosen anew.
ALTER TABLE request ADD COLUMN IF NOT EXISTS planned_digest BINARY(32);
ALTER TABLE request ADD COLUMN IF NOT EXISTS planned_ms BIGINT;
