DROP TABLE run_refusals, run_reader_hours, run_readers;
