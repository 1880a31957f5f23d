DROP TRIGGER readers_come ON run_readers;
DROP TRIGGER readers_change ON run_readers;
