-- The run of the step before: while its email is under way the next one waits, so that no step overtakes another.
ALTER TABLE series_clients ADD run_id bigint;
