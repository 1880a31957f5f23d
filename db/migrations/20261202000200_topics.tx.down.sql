ALTER TABLE runs DROP COLUMN skipped;
ALTER TABLE deliveries DROP COLUMN skipped;
DROP INDEX clients_preferences;
ALTER TABLE clients DROP COLUMN left_topics, DROP COLUMN paused_until, DROP COLUMN frequency, DROP COLUMN last_run_id, DROP COLUMN last_run_at;
ALTER TABLE runs DROP COLUMN topic_id;
ALTER TABLE mailings DROP COLUMN topic_id;
DROP TABLE topics;
