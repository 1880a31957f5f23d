-- How many clients opened the emails of a run and clicked in them: by themselves, or a program alone did for them.
-- db/tracking adds to it as visits are written down. One row a run.
CREATE TABLE run_readers (
    run_id              bigint  PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
    opened              integer NOT NULL DEFAULT 0,
    opened_by_programs  integer NOT NULL DEFAULT 0,
    clicked             integer NOT NULL DEFAULT 0,
    clicked_by_programs integer NOT NULL DEFAULT 0,
    visited_at          timestamptz -- the last visit that was written down; NULL: no visits are kept
) WITH (fillfactor = 50);

-- The same over time: clients by the hour (UTC) of their first. Of 10,000 runs some 1 M rows, 80 MB with the key.
CREATE TABLE run_reader_hours (
    run_id  bigint      NOT NULL REFERENCES runs ON DELETE CASCADE,
    hour    timestamptz NOT NULL,
    opened  integer     NOT NULL DEFAULT 0,
    clicked integer     NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, hour)
) WITH (fillfactor = 70);

-- Why receiving domains refused or put off a run's emails, by what their answers mean (domain.Class): emails, not
-- attempts. The domains are those of run_sums. Few of each run: of 10,000 runs some 100,000 rows.
CREATE TABLE run_refusals (
    run_id   bigint  NOT NULL REFERENCES runs ON DELETE CASCADE,
    domain   text    NOT NULL,
    class    text    NOT NULL,
    deferred integer NOT NULL DEFAULT 0,
    failed   integer NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, domain, class)
);
