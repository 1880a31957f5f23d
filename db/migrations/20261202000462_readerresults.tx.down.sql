ALTER TABLE run_readers DROP results_at;
