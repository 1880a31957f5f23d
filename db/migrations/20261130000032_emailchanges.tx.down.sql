DELETE FROM tokens WHERE change_id IS NOT NULL;
ALTER TABLE tokens DROP COLUMN change_id;
ALTER TABLE tokens DROP CONSTRAINT tokens_purpose_check;
ALTER TABLE tokens ADD CONSTRAINT tokens_purpose_check CHECK (purpose IN ('verify', 'reset'));
DROP TABLE email_changes;
