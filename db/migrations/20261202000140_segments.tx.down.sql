-- What was chosen by a segment writes to nobody before its owner chooses again.
UPDATE mailings SET audience = 'picked' WHERE audience = 'segment';
ALTER TABLE mailings DROP CONSTRAINT mailings_audience_check;
ALTER TABLE mailings ADD CONSTRAINT mailings_audience_check CHECK (audience IN ('all', 'tags', 'picked'));
ALTER TABLE mailings DROP segment_id;
DROP INDEX runs_uncounted;
ALTER TABLE runs DROP results_counted;
DROP TABLE client_results;
DROP TABLE segments;
