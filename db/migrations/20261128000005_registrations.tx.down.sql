-- Whoever has not confirmed the mailbox has to register again.
DELETE FROM tokens WHERE user_id IS NULL;
ALTER TABLE tokens DROP COLUMN registration_id; -- with its index and constraint
ALTER TABLE tokens ALTER user_id SET NOT NULL;
DROP TABLE registrations;
ALTER TABLE users ALTER verified_at DROP NOT NULL, ALTER verified_at DROP DEFAULT;
