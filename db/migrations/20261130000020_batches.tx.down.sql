UPDATE runs SET reason = 'warming' WHERE reason = 'warmup';
ALTER TABLE runs RENAME plan_cursor TO rest;
ALTER TABLE batches RENAME CONSTRAINT batches_run_id_fkey TO blocks_run_id_fkey;
ALTER INDEX batches_open RENAME TO blocks_open;
ALTER INDEX batches_fetched RENAME TO blocks_held;
ALTER INDEX batches_free RENAME TO blocks_free;
ALTER INDEX batches_pkey RENAME TO blocks_pkey;
ALTER TABLE batches RENAME instance_id TO holder;
ALTER TABLE batches RENAME TO blocks;
