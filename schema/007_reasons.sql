-- Why an approver rejected: NULL = no reason was given, as with every approval.
ALTER TABLE approval ADD COLUMN IF NOT EXISTS reason VARCHAR(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
