-- What a check of a list found; null until it is asked for, and when what it depends on has changed.
ALTER TABLE imports ADD COLUMN result jsonb;
CREATE INDEX imports_checked ON imports (created_at) WHERE status = 'checked';
