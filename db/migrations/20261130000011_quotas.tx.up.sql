-- What strangers did, counted for all processes; rows go when their window ends. The keys are hashes.
-- Unlogged: after a crash it may begin anew, and counting costs the log nothing.
CREATE UNLOGGED TABLE quotas (
    key     bytea PRIMARY KEY,
    used    integer     NOT NULL,
    ends_at timestamptz NOT NULL
);
CREATE INDEX quotas_end ON quotas (ends_at);
