-- Up to which visit the results of clients know the readers of a run; NULL: none.
ALTER TABLE run_readers ADD results_at timestamptz;
