-- The newest runs of an owner's mailings, without those of series: there is one for each minute in which a step is due.
CREATE INDEX runs_latest ON runs (owner_id, id DESC) WHERE step_id IS NULL;
