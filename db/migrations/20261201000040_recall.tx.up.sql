-- A launch and a run out of turn can be taken back until their first email may leave: recall is what the mailing goes
-- back to, and until when; not_before keeps the run paused until then.
ALTER TABLE mailings ADD recall jsonb, ADD paused_at timestamptz;
ALTER TABLE runs ADD not_before timestamptz;
-- Why clients are left out of a mailing, for one owner, without reading all of them.
CREATE INDEX clients_left_out ON clients (owner_id, suppressed_reason) WHERE suppressed_at IS NOT NULL;
