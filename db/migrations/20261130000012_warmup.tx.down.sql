ALTER TABLE users DROP COLUMN approved_name, DROP COLUMN approved_at, DROP COLUMN approved_reason;
ALTER TABLE users DROP COLUMN lifted_at, DROP COLUMN lifted_reason;
DROP TABLE owner_days;
