-- The words of the field: a batch is what an instance fetches at once, and the plan cursor says how far a run is planned.
ALTER TABLE blocks RENAME TO batches;
ALTER TABLE batches RENAME holder TO instance_id;
ALTER INDEX blocks_pkey RENAME TO batches_pkey;
ALTER INDEX blocks_free RENAME TO batches_free;
ALTER INDEX blocks_held RENAME TO batches_fetched;
ALTER INDEX blocks_open RENAME TO batches_open;
ALTER TABLE batches RENAME CONSTRAINT blocks_run_id_fkey TO batches_run_id_fkey;
ALTER TABLE runs RENAME rest TO plan_cursor;
UPDATE runs SET reason = 'warmup' WHERE reason = 'warming';
