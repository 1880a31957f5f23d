ALTER TABLE mailings DROP COLUMN zones_at;
