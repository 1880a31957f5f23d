DROP TABLE run_holds;
ALTER TABLE clients DROP suppressed_run;
ALTER TABLE attempts DROP class;
