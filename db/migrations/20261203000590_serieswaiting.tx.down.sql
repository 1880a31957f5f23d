DROP TRIGGER series_clients_come ON series_clients;
DROP TRIGGER series_clients_gone ON series_clients;
DROP TRIGGER series_clients_moved ON series_clients;
DROP FUNCTION count_waiting();
DROP TABLE series_waiting;
