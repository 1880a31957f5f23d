CREATE TRIGGER readers_come AFTER INSERT ON run_readers REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION mark_runs();
CREATE TRIGGER readers_change AFTER UPDATE ON run_readers REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION mark_runs();
DROP TRIGGER run_sums_come ON run_sums;
DROP TRIGGER run_sums_gone ON run_sums;
DROP TRIGGER run_event_sums_come ON run_event_sums;
DROP TRIGGER run_event_sums_gone ON run_event_sums;
DROP FUNCTION sum_steps();
DROP TABLE step_sums;
