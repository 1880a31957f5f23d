ALTER TABLE series_clients DROP COLUMN run_id;
