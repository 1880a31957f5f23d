-- The runs of an owner in a month, a week or a day.
CREATE INDEX runs_owner_time ON runs (owner_id, scheduled_at);
