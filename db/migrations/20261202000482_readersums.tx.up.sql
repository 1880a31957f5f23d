-- Readers come in as other events do: their runs are summed again.
CREATE TRIGGER readers_come AFTER INSERT ON run_readers REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION mark_runs();
CREATE TRIGGER readers_change AFTER UPDATE ON run_readers REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION mark_runs();
