ALTER TABLE runs DROP COLUMN from_name, DROP COLUMN from_email, DROP COLUMN reply_to, DROP COLUMN sender_domain_id;
ALTER TABLE mailings DROP COLUMN sender_id;
DELETE FROM tokens WHERE sender_id IS NOT NULL;
ALTER TABLE tokens DROP COLUMN sender_id;
ALTER TABLE tokens DROP CONSTRAINT tokens_purpose_check;
ALTER TABLE tokens ADD CONSTRAINT tokens_purpose_check CHECK (purpose IN ('verify', 'reset', 'email_old', 'email_new'));
DROP TABLE senders;
DROP TABLE sender_domains;
