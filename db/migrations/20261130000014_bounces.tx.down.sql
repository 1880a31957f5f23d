ALTER TABLE users DROP held_at, DROP released_at;
DROP INDEX clients_email;
DROP TABLE returns;
DROP TABLE bounces;
UPDATE clients SET suppressed_reason = 'unsubscribed' WHERE suppressed_reason = 'complained';
